// History as columns for the chart. An interval in which nothing was decided is a gap, not 0.
import type { History } from "./api";

const hours = 8;

export interface TrendData {
  times: number[]; // seconds
  levels: (number | null)[];
  targets: (number | null)[];
  low: number | null;
  last: number | null;
}

export function trendData(history: History | null, target: number | null): TrendData {
  const points = (history?.points ?? [])
    .map((p) => ({ ...p, at: p.from === null ? NaN : Date.parse(p.from) / 1000 }))
    .filter((p) => !Number.isNaN(p.at));
  const end = points[points.length - 1]?.at ?? 0;
  const recent = points.filter((p) => p.at > end - hours * 3600);
  const levels = recent.map((p) => (p.met + p.missed > 0 ? p.met / (p.met + p.missed) : null));
  const known = levels.filter((l): l is number => l !== null);
  return {
    times: recent.map((p) => p.at),
    levels,
    targets: recent.map(() => target),
    low: known.length > 0 ? Math.min(...known) : null,
    last: known[known.length - 1] ?? null,
  };
}
