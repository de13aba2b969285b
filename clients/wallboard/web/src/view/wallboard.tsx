// The board: one tile a segment, as large as the screen allows; below it what is open.
import { useEffect, useRef, useState } from "preact/hooks";
import { coreNow, lostSince, openAlerts } from "../board";
import { columns } from "../layout";
import { withValueNow } from "../alert-text";
import { namesOf, segmentName } from "../options";
import { sharedPools, tileModel, type TileModel } from "../tile";
import type { TextKey } from "../i18n";
import { AlertStrip } from "./alert-strip";
import { usePage, type View } from "./app";
import { Mark } from "./mark";
import { Tile } from "./tile";
import { Top } from "./top";

export function Wallboard({ board, now }: View) {
  const { words, options, settings } = usePage();
  const core = coreNow(board, now);
  const lost = lostSince(board);
  const wanted = board.segments.filter((s) => options.segments.length === 0 || options.segments.includes(s.id));
  const staffing = { byPool: board.staffing, shared: sharedPools(board.segments) };
  const tiles = wanted.map((s) => tileModel(s, staffing, lost !== null, core));
  const names = namesOf(board.segments, settings.names);
  const shown = options.segments.length === 0 ? undefined : new Set(options.segments);
  return (
    <div class="board" data-lost={lost !== null}>
      <Top board={board} now={now}>
        <Standing tiles={tiles} />
      </Top>
      {tiles.length > 0 ? (
        <TileGrid count={tiles.length}>
          {tiles.map((tile) => (
            <Tile key={tile.id} tile={tile} name={segmentName(tile.id, names)} core={core}
                  age={age(tile, lost, now, core)} />
          ))}
        </TileGrid>
      ) : (
        <main class="nothing" role="status">
          <Mark status="stale" />
          <p>{words.text(board.complete && lost === null ? "noSegments" : board.daemonLostAt !== null ? "lost.daemon" : "loading")}</p>
          {board.complete && options.segments.length > 0 && <p class="why">{words.text("noSegments.why")}</p>}
        </main>
      )}
      <AlertStrip alerts={openAlerts(board, shown).map((a) => withValueNow(a, board.segments))} names={names} stale={lost !== null} known={board.alertsKnown} core={core} />
    </div>
  );
}

// Seconds since the tile's figures were fresh: the older of what the daemon says of the source and our own silence.
function age(tile: TileModel, lost: number | null, now: number, core: number | null): number | null {
  if (tile.status !== "stale") return null;
  const own = lost === null ? null : (now - lost) / 1000;
  const source = tile.freshAt === null || core === null ? null : (core - tile.freshAt) / 1000;
  return own === null && source === null ? null : Math.max(own ?? 0, source ?? 0, 0);
}

function Standing({ tiles }: { tiles: TileModel[] }) {
  const { words } = usePage();
  const urgent = (["breached", "at_risk", "stale"] as const)
    .map((status) => ({ status, n: tiles.filter((t) => t.status === status).length }))
    .filter(({ n }) => n > 0);
  if (tiles.length > 0 && tiles.every((t) => t.status === "met")) {
    return (
      <p class="count" data-status="met">
        <Mark status="met" /> {words.text("summary.good")}
      </p>
    );
  }
  return (
    <>
      {urgent.map(({ status, n }) => (
        <p class="count" data-status={status} key={status}>
          <Mark status={status} /> {words.text(`summary.${status}` as TextKey, { n: words.count(n) })}
        </p>
      ))}
    </>
  );
}

// On a television the tiles share the screen; elsewhere the style sheet lets them flow.
function TileGrid({ count, children }: { count: number; children: preact.ComponentChildren }) {
  const { options } = usePage();
  const grid = useRef<HTMLElement>(null);
  const [cols, setCols] = useState(1);
  useEffect(() => {
    if (!options.tv || !grid.current) return;
    const element = grid.current;
    const fit = () => setCols(columns(count, element.clientWidth, element.clientHeight));
    const observer = new ResizeObserver(fit);
    observer.observe(element);
    fit();
    return () => observer.disconnect();
  }, [count, options.tv]);
  const rows = Math.ceil(count / cols);
  const style = options.tv
    ? { gridTemplateColumns: `repeat(${cols}, minmax(0, 1fr))`, gridTemplateRows: `repeat(${rows}, minmax(0, 1fr))` }
    : {};
  return (
    <main class="tiles" ref={grid} style={style} data-count={count}>
      {children}
    </main>
  );
}
