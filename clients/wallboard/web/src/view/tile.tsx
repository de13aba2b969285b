import { absent } from "../i18n";
import { longestWait, statuses, type ObjectiveLine, type Status, type TileModel } from "../tile";
import { usePage } from "./app";
import { Mark } from "./mark";
import { Trend } from "./trend";

/// `age`: seconds since the figures were fresh, of a stale tile. `core`: core time now.
export function Tile({ tile, name, core, age }: { tile: TileModel; name: string; core: number | null; age: number | null }) {
  const { words } = usePage();
  const { main } = tile;
  const wait = longestWait(tile, core);
  // Room for two more promises; the most urgent ones.
  const promise = tile.calls?.promise ?? null;
  const others = [...tile.others].sort((a, b) => statuses.indexOf(a.status) - statuses.indexOf(b.status)).slice(0, 2);
  return (
    <article class="tile" data-lines={others.length + (tile.items && tile.calls ? 1 : 0)} data-segment={tile.id} data-status={tile.status} aria-labelledby={`name-${tile.id}`}>
      <div class="inside">
        <header>
          <h2 id={`name-${tile.id}`} data-long={name.length > 15}>{name}</h2>
          <p class="status">
            <Mark status={tile.status} />
            <span>
              {words.text(`status.${tile.status}`)}{" "}
              {age !== null && <small>{words.text("stale.for", { age: words.duration(age) })}</small>}
            </span>
          </p>
        </header>

        <div class={tile.calls ? "middle" : "middle alone"}>
          <div class="main" data-status={main.status}>
            <p class="value">
              <Value text={words.figure(main.figure, main.value, main.target)} />
            </p>
            <dl>
              <dt>{words.figureName(main.figure)}</dt>
              <dd class="target">{main.target === null ? absent : words.target(main.figure, main.target, main.atMost)}</dd>
              <dd class="samples">
                {main.samples === 0
                  ? words.text("samples.none")
                  : words.text("samples", { met: words.count(main.met), samples: words.count(main.samples) })}
              </dd>
              <dd class="window">{words.window(main.window)}</dd>
            </dl>
          </div>
          <Trend
            segment={tile.id}
            target={main.figure === "service_level" ? main.target : null}
            level={main.figure === "service_level" ? main.value : null}
            core={core}
            status={tile.status}
            calls={tile.calls !== null}
          />
        </div>

        {(others.length > 0 || (tile.items && tile.calls)) && (
          <ul class="others">
            {others.map((line) => (
              <Other key={line.id} line={line} />
            ))}
            {tile.items && tile.calls && <Items items={tile.items} />}
          </ul>
        )}

        <dl class="now">
          {tile.calls ? (
            <>
              <Figure label={words.text("tile.waiting")} value={words.count(tile.calls.waiting)} />
              <Figure
                label={words.text("tile.longest")}
                mark={promise?.status === "breached" || promise?.status === "at_risk" ? promise.status : undefined}
                value={words.duration(wait)}
                limit={promise ? words.text("tile.limit", { limit: words.duration(promise.target) }) : undefined}
              />
            </>
          ) : (
            <>
              <Figure label={words.text("figure.backlog")} value={words.count(tile.items?.backlog)} />
              <Figure label={words.text("figure.overdue")} value={words.count(tile.items?.overdue)} />
            </>
          )}
          <Figure
            label={words.text("tile.agents")}
            value={words.count(tile.agents?.available)}
            note={tile.agents ? words.text("tile.agents.of", { n: words.count(tile.agents.loggedIn) }) : undefined}
          />
          <Figure
            label={words.text(tile.staffing?.pool ? "tile.staffing.pool" : "tile.staffing")}
            value={words.count(tile.staffing?.present)}
            note={tile.staffing ? words.text("tile.staffing.of", { n: words.count(tile.staffing.required) }) : undefined}
            short={tile.staffing !== null && tile.staffing.present < tile.staffing.required}
          />
        </dl>
      </div>
    </article>
  );
}

// "84 %": the number large, its unit smaller.
function Value({ text }: { text: string }) {
  const parts = /^(.*?)\s*(%)$/.exec(text);
  return parts ? (
    <>
      {parts[1]}
      <span class="unit">{parts[2]}</span>
    </>
  ) : (
    <>{text}</>
  );
}

function Other({ line }: { line: ObjectiveLine }) {
  const { words } = usePage();
  return (
    <li data-status={line.status}>
      <Mark status={line.status} />
      <span class="label">
        {words.figureName(line.figure)} <small>{words.window(line.window)}</small>
      </span>
      <span class="value">{words.figure(line.figure, line.value, line.target)}</span>
      <span class="target">{line.target === null ? "" : words.target(line.figure, line.target, line.atMost)}</span>
    </li>
  );
}

// The work items of a segment that takes calls too: what lies there, what is late, and the promise about it.
function Items({ items }: { items: NonNullable<TileModel["items"]> }) {
  const { words } = usePage();
  const { onTime } = items;
  return (
    <li data-status={onTime?.status ?? "none"} class="items">
      {onTime && <Mark status={onTime.status} />}
      <span class="label">{onTime ? words.figureName(onTime.figure) : words.text("tile.items")}</span>
      {onTime && <span class="value">{words.figure(onTime.figure, onTime.value, onTime.target)}</span>}
      {onTime && onTime.target !== null && (
        <span class="target">{words.target(onTime.figure, onTime.target, onTime.atMost)}</span>
      )}
      <span class="open">
        {words.text("tile.items.open", { n: words.count(items.backlog) })}
        {items.overdue > 0 && <strong>{words.text("tile.items.overdue", { n: words.count(items.overdue) })}</strong>}
      </span>
    </li>
  );
}

interface FigureProps {
  label: string;
  value: string;
  note?: string | undefined;
  limit?: string | undefined; // shown where there is room
  mark?: Status | undefined;
  short?: boolean;
}

function Figure({ label, value, note, limit, mark, short }: FigureProps) {
  return (
    <div data-short={short === true}>
      <dt>
        {mark && <Mark status={mark} />}
        {label}
      </dt>
      <dd>
        {value}
        {note && <small> {note}</small>}
        {limit && <small class="limit"> {limit}</small>}
      </dd>
    </div>
  );
}
