// The trend as columns for the chart: the closed intervals of the history, each at its end, then what the board has seen
// since. An interval in which nothing was decided is a gap, not 0.
import type { History } from "./api";

const hours = 8;
const liveEvery_s = 10;

/// What the objective was at a moment (seconds of core time), as the page has seen it.
export interface LivePoint {
  at: number;
  level: number | null;
}

/// Adds a point if the last one is old enough; forgets what is older than an hour: the history has it by then.
export function withLivePoint(live: LivePoint[], at: number, level: number | null): LivePoint[] {
  const last = live[live.length - 1];
  if (last && at - last.at < liveEvery_s && at >= last.at) return live;
  const kept = last && at < last.at ? [] : live.filter((p) => p.at > at - 3600);
  return [...kept, { at, level }];
}

export interface TrendData {
  times: number[]; // seconds
  levels: (number | null)[];
  targets: (number | null)[];
  low: number | null;
  last: number | null;
}

export function trendData(history: History | null, live: LivePoint[], target: number | null): TrendData {
  const closed = (history?.points ?? [])
    .filter((p) => p.from !== null)
    .map((p) => ({
      at: Date.parse(p.from!) / 1000 + (history?.interval_s ?? 0),
      level: p.met + p.missed > 0 ? p.met / (p.met + p.missed) : null,
    }));
  const closedEnd = closed[closed.length - 1]?.at ?? 0;
  const points = [...closed, ...live.filter((p) => p.at > closedEnd)];
  const end = points[points.length - 1]?.at ?? 0;
  const recent = points.filter((p) => p.at > end - hours * 3600);
  const levels = recent.map((p) => p.level);
  const known = levels.filter((l): l is number => l !== null);
  return {
    times: recent.map((p) => p.at),
    levels,
    targets: recent.map(() => target),
    low: known.length > 0 ? Math.min(...known) : null,
    last: known[known.length - 1] ?? null,
  };
}
