// The supervisor's page: what is wrong, why, what would help, and taking it; and how many people are needed.
import { useLayoutEffect, useRef, useState } from "preact/hooks";
import { acknowledge, type Alert, type Recommendation, type Staffing } from "../api";
import { alertDetail, alertKind, alertSubject, withValueNow } from "../alert-text";
import { alertTime, coreNow, lostSince } from "../board";
import { absent, type TextKey } from "../i18n";
import { namesOf, segmentName, type Names } from "../options";
import type { Status } from "../tile";
import { usePage, type View } from "./app";
import { Mark } from "./mark";
import { Tickets } from "./tickets";
import { Top } from "./top";

export function Supervisor({ board, now }: View) {
  const { words, options, settings, me } = usePage();
  const names = namesOf(board.segments, settings.names);
  const core = coreNow(board, now);
  const lost = lostSince(board) !== null;
  const mine = (segment: string) => options.segments.length === 0 || segment === "" || options.segments.includes(segment);
  const all = [...board.alerts.values()]
    .filter((a) => mine(a.segment))
    .map((a) => withValueNow(a, board.segments))
    .sort((a, b) => alertTime(b) - alertTime(a));
  const untakenFirst = (a: Alert, b: Alert) => Number(a.acknowledged !== null) - Number(b.acknowledged !== null);
  const open = all.filter((a) => a.state !== "resolved").sort(untakenFirst);
  const recent = all.filter((a) => a.state === "resolved").slice(0, 20);
  const pools = new Set(board.segments.filter((s) => mine(s.id)).map((s) => s.pool));
  const staffing = [...board.staffing.values()].filter((s) => options.segments.length === 0 || pools.has(s.pool));
  return (
    <div class="supervisor" data-lost={lost}>
      <Top board={board} now={now}>
        <p class="page">{words.text("page.supervisor")}</p>
      </Top>
      <main>
        <section aria-labelledby="open">
          <h2 id="open">
            {words.text("supervisor.open")} {open.length > 0 && <span class="number">{words.count(open.length)}</span>}
          </h2>
          {open.length === 0 && (
            <p class="calm">{lost || !board.alertsKnown ? words.text("loading") : words.text("supervisor.none")}</p>
          )}
          {open.map((alert) => (
            <AlertCard key={alert.id} alert={alert} names={names} core={core} lost={lost} />
          ))}
          {recent.length > 0 && (
            <>
              <h2>{words.text("supervisor.recent")}</h2>
              {recent.map((alert) => (
                <AlertCard key={alert.id} alert={alert} names={names} core={core} lost={lost} />
              ))}
            </>
          )}
        </section>
        <section aria-labelledby="staffing">
          <h2 id="staffing">{words.text("staffing.title")}</h2>
          {staffing.length === 0 && <p class="calm">{words.text("staffing.none")}</p>}
          {staffing.map((pool) => (
            <PoolTable key={pool.pool} pool={pool} names={names} />
          ))}
          {me.sign_in && me.role === "supervisor" && <Tickets />}
        </section>
      </main>
    </div>
  );
}

interface CardProps {
  alert: Alert;
  names: Names;
  core: number | null;
  lost: boolean;
}

function AlertCard({ alert, names, core, lost }: CardProps) {
  const { words, me } = usePage();
  const [taking, setTaking] = useState(false);
  const card = useRef<HTMLElement>(null);
  const resolved = alert.state === "resolved";
  const subject = alertSubject(alert, names);
  const close = () => {
    setTaking(false);
    card.current?.focus();
  };
  return (
    <article class="alert" data-state={alert.state} data-status={status(alert, lost)} data-alert={alert.id} tabIndex={-1} ref={card}
             aria-label={`${subject}: ${alertKind(alert, words)}`}>
      <header>
        <Mark status={status(alert, lost)} />
        <div>
          <h3>
            {subject} <span>{alertKind(alert, words)}</span>
          </h3>
          <p class="detail">{alertDetail(alert, words)}</p>
        </div>
        <p class="when">
          {words.text(`supervisor.${alert.state}`)}
          <time dateTime={alert.fired ?? ""}>
            {resolved
              ? words.time(alert.resolved)
              : words.text("supervisor.since", { time: words.time(alert.fired ?? alert.pending_since) })}
          </time>
          {!resolved && core !== null && !lost && <span class="age">{words.duration((core - alertTime(alert)) / 1000)}</span>}
        </p>
      </header>

      {alert.stale && !resolved && <p class="remark">{words.text("supervisor.staleAlert")}</p>}
      {alert.corrected && <p class="remark">{words.text("supervisor.corrected")}</p>}
      {alert.inhibited_by !== "" && <p class="remark">{words.text("supervisor.follows", { alert: alert.inhibited_by })}</p>}
      {alert.help !== "" && !resolved && (
        <p class="help">
          <strong>{words.text("supervisor.help")}</strong> <span lang="en">{alert.help}</span>
        </p>
      )}
      <Taken alert={alert} />
      {!resolved && !alert.acknowledged && !taking && me.role === "supervisor" && (
        <button type="button" class="take" onClick={() => setTaking(true)}>
          {words.text("ack.take")}
        </button>
      )}
      {!resolved && taking && <TakeForm alert={alert} lost={lost} close={close} />}
      <Details alert={alert} />
    </article>
  );
}

function status(alert: Alert, lost: boolean): Status {
  if (alert.state === "resolved") return "none";
  if (lost || alert.stale) return "stale";
  return alert.state === "pending" || alert.kind === "sla_at_risk" ? "at_risk" : "breached";
}

function Taken({ alert }: { alert: Alert }) {
  const { words } = usePage();
  if (!alert.acknowledged) return null;
  const { by, at, note } = alert.acknowledged;
  return (
    <p class="taken">
      {words.text("ack.done", { name: by, time: words.time(at) })}
      {note !== "" && <q>{note}</q>}
    </p>
  );
}

function Details({ alert }: { alert: Alert }) {
  const { words } = usePage();
  const rows: [TextKey, string][] = [
    ["supervisor.value", alert.figure ? words.figure(alert.figure, alert.value, alert.target) : words.count(alert.value)],
    ["supervisor.target", alert.figure ? words.figure(alert.figure, alert.target) : words.count(alert.target)],
    ["supervisor.samples", words.count(alert.samples)],
    ["supervisor.window", alert.window ? words.window(alert.window) : absent],
    ["supervisor.contract", alert.contract || absent],
  ];
  return (
    <details>
      <summary>{words.text("supervisor.details")}</summary>
      <p class="summary" lang="en">
        {alert.summary}
      </p>
      <dl>
        {rows.map(([key, value]) => (
          <div key={key}>
            <dt>{words.text(key)}</dt>
            <dd>{value}</dd>
          </div>
        ))}
      </dl>
      <h4>{words.text("supervisor.evidence")}</h4>
      {alert.evidence.length === 0 ? (
        <p class="calm">{words.text("supervisor.evidence.none")}</p>
      ) : (
        <ul class="evidence">
          {alert.evidence.map((contact) => (
            <li key={contact}>
              <code>{contact}</code>
            </li>
          ))}
        </ul>
      )}
      <p class="id">
        <code>{alert.id}</code>
      </p>
    </details>
  );
}

const nameKey = "reach.name";

function TakeForm({ alert, lost, close }: { alert: Alert; lost: boolean; close: () => void }) {
  const { words, me } = usePage();
  const [by, setBy] = useState(() => (me.sign_in ? me.name : (localStorage.getItem(nameKey) ?? "")));
  const [note, setNote] = useState("");
  const [problem, setProblem] = useState("");
  const [sending, setSending] = useState(false);
  const name = useRef<HTMLInputElement>(null);
  const text = useRef<HTMLInputElement>(null);
  // Before anything else happens: what is typed at once must arrive.
  useLayoutEffect(() => (by === "" ? name.current : text.current)?.focus(), []);

  const send = async (event: Event) => {
    event.preventDefault();
    if (by.trim() === "") {
      setProblem(words.text("ack.needsName"));
      name.current?.focus();
      return;
    }
    setSending(true);
    try {
      await acknowledge(alert.id, by.trim(), note.trim());
      if (!me.sign_in) localStorage.setItem(nameKey, by.trim());
      close(); // the stream brings the alert as taken, here and on every other page
    } catch (error) {
      setProblem(words.text("ack.failed", { why: (error as Error).message }));
      setSending(false);
    }
  };
  return (
    <form class="taking" onSubmit={(event) => void send(event)} onKeyDown={(event) => event.key === "Escape" && close()} noValidate>
      <label>
        {words.text("ack.name")}
        <input ref={name} name="by" autocomplete="name" maxLength={80} value={by} required readOnly={me.sign_in}
               onInput={(event) => setBy(event.currentTarget.value)} />
      </label>
      <label class="note">
        {words.text("ack.note")}
        <input ref={text} name="note" maxLength={500} value={note} onInput={(event) => setNote(event.currentTarget.value)} />
      </label>
      <div class="buttons">
        <button type="submit" disabled={sending || lost}>
          {words.text("ack.send")}
        </button>
        <button type="button" class="quiet" onClick={close}>
          {words.text("ack.cancel")}
        </button>
      </div>
      <p class="problem" role="alert">
        {lost ? words.text("ack.offline") : problem}
      </p>
    </form>
  );
}

function PoolTable({ pool, names }: { pool: Staffing; names: Names }) {
  const { words } = usePage();
  const { agents } = pool;
  const segments = pool.recommendations.some((r) => r.segment !== "");
  const said = pool.recommendations.flatMap((r) => [...r.assumptions, r.forecast?.basis ?? ""]);
  const assumptions = [...new Set(said)].filter((text) => text !== "");
  return (
    <section class="pool" data-pool={pool.pool}>
      <h3>{words.text("staffing.pool", { pool: segmentName(pool.pool, names) })}</h3>
      {agents?.known && (
        <p class="agents">
          {words.text("staffing.agents", {
            available: words.count(agents.available),
            busy: words.count(agents.busy + agents.ringing + agents.wrap_up),
            paused: words.count(agents.paused),
            logged_in: words.count(agents.logged_in),
          })}
        </p>
      )}
      {pool.recommendations.length === 0 ? (
        <p class="calm">{words.text("staffing.none")}</p>
      ) : (
        <table>
          <thead>
            <tr>
              <th scope="col">{words.text("staffing.interval")}</th>
              {segments && <th scope="col">{words.text("staffing.segment")}</th>}
              <th scope="col" class="n">{words.text("staffing.needed")}</th>
              <th scope="col" class="n">{words.text("staffing.present")}</th>
              <th scope="col" class="n">{words.text("staffing.gap")}</th>
              <th scope="col" class="n">{words.text("staffing.calls")}</th>
              <th scope="col" class="n">{words.text("staffing.now")}</th>
              <th scope="col" class="n">{words.text("staffing.then")}</th>
            </tr>
          </thead>
          {pool.recommendations.map((r) => (
            <Interval key={`${r.interval_start}/${r.segment}`} r={r} segments={segments} names={names} />
          ))}
        </table>
      )}
      {assumptions.length > 0 && (
        <details>
          <summary>{words.text("staffing.assumptions")}</summary>
          <ul lang="en">
            {assumptions.map((text) => (
              <li key={text}>{text}</li>
            ))}
          </ul>
        </details>
      )}
    </section>
  );
}

function Interval({ r, segments, names }: { r: Recommendation; segments: boolean; names: Names }) {
  const { words } = usePage();
  const short = r.gap !== null && r.gap > 0;
  const { calls = null, low = null, high = null } = r.forecast ?? {};
  const cell = (key: TextKey, value: string, small?: string) => (
    <td class={key === "staffing.gap" ? "n gap" : "n"} data-label={words.text(key)}>
      {value}
      {small && <small>{small}</small>}
    </td>
  );
  return (
    <tbody data-short={short}>
      <tr>
        <th scope="row">{words.time(r.interval_start)}</th>
        {segments && (
          <td data-label={words.text("staffing.segment")}>
            {r.segment ? segmentName(r.segment, names) : words.text("staffing.whole")}
          </td>
        )}
        {cell("staffing.needed", words.count(r.required))}
        {cell("staffing.present", words.count(r.available))}
        {cell("staffing.gap", r.gap === null ? absent : words.count(Math.max(0, r.gap)))}
        {cell("staffing.calls", words.count(calls),
              low !== null && high !== null ? words.text("staffing.range", { low: words.count(low), high: words.count(high) }) : undefined)}
        {cell("staffing.now", words.percent(r.at_current?.service_level))}
        {cell("staffing.then", words.percent(r.at_required?.service_level))}
      </tr>
      <tr class="reason">
        <td colSpan={segments ? 8 : 7} lang={r.not_enough_data ? undefined : "en"}>
          {r.not_enough_data && r.reason === "" ? words.text("staffing.notEnough") : r.reason}
        </td>
      </tr>
    </tbody>
  );
}
