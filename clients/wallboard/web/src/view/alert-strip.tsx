// The foot of the board: what is open, newest first, and who has taken it.
import type { Alert } from "../api";
import { alertDetail, alertKind, alertSubject } from "../alert-text";
import { alertTime } from "../board";
import type { Names } from "../options";
import { usePage } from "./app";
import { Mark } from "./mark";

const shown = 4; // the style sheet hides those that find no room

interface Props {
  alerts: Alert[];
  names: Names;
  stale: boolean; // the board as a whole
  known: boolean; // false: the alerts have not come yet
  core: number | null;
}

export function AlertStrip({ alerts, names, stale, known, core }: Props) {
  const { words } = usePage();
  return (
    <footer class="strip" aria-label={words.text("alerts.open")} aria-live="polite" data-stale={stale}>
      {alerts.length === 0 && <p class="none">{stale || !known ? "" : words.text("alerts.none")}</p>}
      <ol>
        {alerts.slice(0, shown).map((alert) => (
          <li key={alert.id} data-taken={alert.acknowledged !== null}>
            <Mark status={stale || alert.stale ? "stale" : alert.kind === "sla_at_risk" ? "at_risk" : "breached"} />
            <div>
              <p class="what">
                <strong>{alertSubject(alert, names)}</strong>{" "}
                {alertKind(alert, words)}
                <time aria-hidden="true">{core === null ? "" : words.duration((core - alertTime(alert)) / 1000)}</time>
              </p>
              <p class="detail">
                {alert.acknowledged ? words.text("alerts.by", { name: alert.acknowledged.by }) : alertDetail(alert, words)}
              </p>
            </div>
          </li>
        ))}
      </ol>
      {alerts.length > shown && <p class="more">{words.text("alerts.more", { n: words.count(alerts.length - shown) })}</p>}
    </footer>
  );
}
