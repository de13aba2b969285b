// Everything the page knows, and how each message changes it. Pure: time is an argument (milliseconds of a local
// clock that never steps, such as performance.now()).
import type { Alert, Segment, Source, Staffing, StreamEvents } from "./api";

export interface Board {
  segments: Segment[]; // in the daemon's order
  sources: Source[];
  alerts: Map<string, Alert>;
  alertsKnown: boolean; // until then an empty list means nothing
  staffing: Map<string, Staffing>;
  complete: boolean; // a whole state has come since the page was opened
  linkLostAt: number | null; // the gateway: since when it is not heard; null while it is
  daemonLostAt: number | null; // the daemon behind it, likewise
  heardAt: number | null; // last message of any kind
  coreOffset: number | null; // core time (epoch milliseconds) minus local time
}

export const emptyBoard = (now: number): Board => ({
  segments: [],
  sources: [],
  alerts: new Map(),
  alertsKnown: false,
  staffing: new Map(),
  complete: false,
  linkLostAt: now,
  daemonLostAt: null,
  heardAt: null,
  coreOffset: null,
});

/// The gateway says something every two seconds; this much silence means that it is gone.
export const silenceMs = 6000;

export type Message = {
  [Name in keyof StreamEvents]: { name: Name; content: StreamEvents[Name] };
}[keyof StreamEvents];

export function applyMessage(board: Board, message: Message, now: number): Board {
  const next: Board = { ...board, heardAt: now };
  switch (message.name) {
    case "connection": {
      const { connected, time, last_heard } = message.content;
      const silence = last_heard === null ? 0 : Math.max(0, Date.parse(time) - Date.parse(last_heard));
      next.daemonLostAt = connected ? null : (board.daemonLostAt ?? now - silence);
      break;
    }
    case "state": {
      const { complete, segments, sources, time } = message.content;
      next.segments = complete ? segments : replaceById(board.segments, segments);
      next.sources = complete ? sources : replaceById(board.sources, sources);
      next.complete = board.complete || complete;
      // A whole state brings the clock too: the daemon may have restarted on another one.
      if (complete) next.coreOffset = null;
      for (const at of [time, ...segments.map((s) => s.time)]) next.coreOffset = laterOffset(next.coreOffset, at, now);
      break;
    }
    case "alerts":
      next.alerts = new Map(message.content.alerts.map((alert) => [alert.id, alert]));
      next.alertsKnown = true;
      break;
    case "alert":
      next.alerts = withAlert(board.alerts, message.content);
      break;
    case "staffing":
      next.staffing = new Map(board.staffing).set(message.content.pool, message.content);
      break;
    case "resync":
      break;
  }
  // The link counts as up again only with the whole state at hand: an old figure must not look fresh for a moment.
  if (message.name === "state" && message.content.complete) next.linkLostAt = null;
  return next;
}

/// The gateway is not heard: the connection broke, or nothing came for `silenceMs`.
export function loseLink(board: Board, now: number): Board {
  return board.linkLostAt !== null ? board : { ...board, linkLostAt: board.heardAt ?? now };
}

/// Since when nothing on the board can be trusted (local milliseconds); null while all is well.
export function lostSince(board: Board): number | null {
  const since = [board.linkLostAt, board.daemonLostAt].filter((at): at is number => at !== null);
  return since.length === 0 ? null : Math.min(...since);
}

/// Core time now, in epoch milliseconds: it ticks by itself between messages. null before the first one.
export const coreNow = (board: Board, now: number): number | null =>
  board.coreOffset === null ? null : now + board.coreOffset;

/// Alerts that somebody should see: firing, and not merely following from another one. Newest first.
export function openAlerts(board: Board, segments?: Set<string>): Alert[] {
  return [...board.alerts.values()]
    .filter((a) => a.state === "firing" && a.inhibited_by === "")
    .filter((a) => !segments || a.segment === "" || segments.has(a.segment))
    .sort((a, b) => alertTime(b) - alertTime(a));
}

export const alertTime = (alert: Alert): number => Date.parse(alert.fired ?? alert.pending_since ?? alert.changed ?? "");

function withAlert(alerts: Map<string, Alert>, alert: Alert): Map<string, Alert> {
  const known = alerts.get(alert.id);
  if (known && known.revision > alert.revision) return alerts;
  return new Map(alerts).set(alert.id, alert);
}

function replaceById<T extends { id: string }>(all: T[], changed: T[]): T[] {
  if (changed.length === 0) return all;
  const byId = new Map(changed.map((one) => [one.id, one]));
  const kept = all.map((one) => byId.get(one.id) ?? one);
  const known = new Set(all.map((one) => one.id));
  return [...kept, ...changed.filter((one) => !known.has(one.id))];
}

// The least delayed message tells the time best: its offset is the greatest.
function laterOffset(offset: number | null, at: string | null, now: number): number | null {
  const time = at === null ? NaN : Date.parse(at);
  if (Number.isNaN(time)) return offset;
  return offset === null ? time - now : Math.max(offset, time - now);
}
