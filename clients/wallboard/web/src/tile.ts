// What a segment's tile says. The one place that decides how things look: never good on data that is not fresh.
import type { Objective, Segment, Staffing } from "./api";

/// In the order of urgency.
export const statuses = ["stale", "breached", "at_risk", "closing", "met", "no_data", "closed", "none"] as const;
export type Status = (typeof statuses)[number];

export interface ObjectiveLine {
  id: string;
  status: Status;
  figure: string;
  service: string;
  value: number | null;
  target: number | null; // null: a figure without an objective
  atMost: boolean;
  samples: number;
  met: number | null; // how many of the samples; null where the figure is no share
  window: string;
}

export interface TileModel {
  id: string;
  status: Status;
  /** Since when the figures are old, epoch milliseconds of core time; null: not known, or fresh. */
  freshAt: number | null;
  main: ObjectiveLine;
  others: ObjectiveLine[];
  calls: {
    waiting: number | null;
    longestSince: number | null;
    longest: number | null;
    promise: ObjectiveLine | null; // of the longest wait, unless it is `main`
  } | null;
  agents: { available: number; loggedIn: number } | null;
  staffing: { present: number; required: number; pool: string | null } | null; // pool: a figure of more than this segment
  items: { backlog: number; overdue: number; onTime: ObjectiveLine | null } | null; // onTime: unless it is `main`
}

const shares = new Set(["service_level", "reachability", "on_time_rate", "respond_on_time_rate", "abandon_rate"]);
const itemFigures = new Set(["on_time_rate", "respond_on_time_rate", "backlog", "overdue", "oldest_age_s"]);
const mainFigures = ["service_level", "reachability", "on_time_rate", "respond_on_time_rate"];

/// What is recommended for each pool, and which pools serve one segment only: their figures are the segment's own.
export interface PoolStaffing {
  byPool: Map<string, Staffing>;
  shared: Set<string>;
}

export function sharedPools(segments: Segment[]): Set<string> {
  const pools = segments.map((s) => s.pool);
  return new Set(pools.filter((pool, i) => pools.indexOf(pool) !== i));
}

/// `lost`: the board as a whole hears nothing. `now`: core time, picks the current staffing interval.
export function tileModel(segment: Segment, staffing: PoolStaffing, lost: boolean, now: number | null): TileModel {
  const stale = lost || segment.stale || segment.objectives.some((o) => o.status === "stale");
  const lines = segment.objectives.map((o) => line(o, stale));
  const main = mainLine(lines, segment, stale);
  const { calls, items } = media(segment);
  const onTime = (items && lines.find((l) => l !== main && l.figure === "on_time_rate")) || null;
  const longest = (calls && lines.find((l) => l !== main && l.figure === "longest_wait_s")) || null;
  return {
    id: segment.id,
    status: stale ? "stale" : verdict(main.status, lines),
    freshAt: stale ? parse(segment.fresh) : null,
    main,
    others: lines.filter((l) => l !== main && l !== onTime && l !== longest),
    calls: calls
      ? {
          waiting: segment.figures?.waiting ?? null,
          longestSince: parse(segment.longest_wait_since),
          longest: segment.figures?.longest_wait_s ?? null,
          promise: longest,
        }
      : null,
    agents: segment.agents?.known
      ? { available: segment.agents.available, loggedIn: segment.agents.logged_in }
      : null,
    staffing: staffingLine(segment, staffing, now),
    items: items ? { backlog: segment.figures?.backlog ?? 0, overdue: segment.figures?.overdue ?? 0, onTime } : null,
  };
}

// Any promise can make a tile urgent; but only the one in large letters can make it good: a wait of nobody is no proof.
function verdict(main: Status, lines: ObjectiveLine[]): Status {
  return (["breached", "at_risk"] as const).find((status) => lines.some((l) => l.status === status)) ?? main;
}

/// The longest wait now, in seconds. It ticks between messages, but stands still on old data: nobody knows
/// whether that caller still waits.
export function longestWait(tile: TileModel, now: number | null): number | null {
  if (!tile.calls || tile.calls.waiting === 0) return null;
  if (tile.status === "stale" || tile.calls.longestSince === null || now === null) return tile.calls.longest;
  return Math.max(0, (now - tile.calls.longestSince) / 1000);
}

function line(objective: Objective, stale: boolean): ObjectiveLine {
  const known = (statuses as readonly string[]).includes(objective.status);
  return {
    id: objective.id,
    status: stale ? "stale" : known ? objective.status : "no_data",
    figure: objective.figure,
    service: objective.service,
    value: objective.value,
    target: objective.target,
    atMost: objective.at_most,
    samples: objective.samples,
    met: shares.has(objective.figure) && objective.value !== null ? Math.round(objective.value * objective.samples) : null,
    window: objective.window,
  };
}

// The big number stays in its place whatever happens: the service level where one was promised, else the nearest.
function mainLine(lines: ObjectiveLine[], segment: Segment, stale: boolean): ObjectiveLine {
  for (const figure of mainFigures) {
    const found = lines.find((l) => l.figure === figure);
    if (found) return found;
  }
  if (lines[0]) return lines[0];
  const { met = 0, missed = 0, service_level = null } = segment.figures ?? {};
  return {
    id: "",
    status: stale ? "stale" : "none",
    figure: "service_level",
    service: "",
    value: service_level,
    target: null,
    atMost: false,
    samples: met + missed,
    met,
    window: "day",
  };
}

function media(segment: Segment): { calls: boolean; items: boolean } {
  const f = segment.figures;
  const promised = segment.objectives.map((o) => itemFigures.has(o.figure));
  const items = promised.includes(true) || (f !== null && (f.backlog > 0 || f.items_received > 0));
  const calls = promised.includes(false) || (f !== null && (f.offered > 0 || f.waiting > 0));
  return { calls: calls || !items, items };
}

function staffingLine(segment: Segment, staffing: PoolStaffing, now: number | null): TileModel["staffing"] {
  const all = staffing.byPool.get(segment.pool)?.recommendations ?? [];
  const current = all.filter((r) => {
    const from = parse(r.interval_start);
    return now === null || from === null || (from <= now && now < from + r.interval_s * 1000);
  });
  const usable = (current.length > 0 ? current : all).filter((r) => r.required !== null && r.available !== null);
  const own = usable.find((r) => r.segment === segment.id);
  const chosen = own ?? usable.find((r) => r.segment === "");
  if (!chosen || chosen.required === null || chosen.available === null) return null;
  return { present: chosen.available, required: chosen.required, pool: own || !staffing.shared.has(segment.pool) ? null : segment.pool };
}

function parse(at: string | null): number | null {
  const ms = at === null ? NaN : Date.parse(at);
  return Number.isNaN(ms) ? null : ms;
}
