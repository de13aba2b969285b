// The service level of the last hours, one point an interval by arrival of the calls, and up to now as the objective
// says; the target as a dashed line.
import { useEffect, useRef, useState } from "preact/hooks";
import uPlot from "uplot";
import { getHistory, type History } from "../api";
import type { Words } from "../i18n";
import type { Status } from "../tile";
import { trendData, withLivePoint, type LivePoint } from "../trend-data";
import { usePage } from "./app";

const renewMs = 30_000;

interface Props {
  segment: string;
  target: number | null;
  level: number | null; // now
  core: number | null; // core time now, milliseconds; null or an old level adds nothing
  status: Status;
  calls: boolean; // false: a segment without calls has no service level to draw
}

export function Trend({ segment, target, level, core, status, calls }: Props) {
  const { words } = usePage();
  const box = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot | null>(null);
  const [step, setStep] = useState(0); // letters and lines are made for a size: a chart of another size is made anew
  const history = useHistory(segment, calls);
  const live = useRef<LivePoint[]>([]);
  if (core !== null && status !== "stale") live.current = withLivePoint(live.current, core / 1000, level);
  const data = trendData(history, live.current, target);

  useEffect(() => {
    const element = box.current;
    if (!element || !calls) return;
    const chart = new uPlot(chartOptions(element, words), [[], [], []], element);
    plot.current = chart;
    const observer = new ResizeObserver(() => {
      setStep(sizeStep(element));
      chart.setSize(size(element));
    });
    observer.observe(element);
    const scheme = matchMedia("(prefers-color-scheme: dark)");
    const redraw = () => chart.redraw(false);
    scheme.addEventListener("change", redraw);
    return () => {
      observer.disconnect();
      scheme.removeEventListener("change", redraw);
      chart.destroy();
      plot.current = null;
    };
  }, [calls, words, step]);

  useEffect(() => {
    plot.current?.setData([data.times, data.levels, data.targets]);
  }, [history, live.current, target, status, step]); // the status: its colours are read when drawing

  if (!calls) return null;
  const label =
    data.last === null
      ? words.text("tile.trend.none")
      : words.text("tile.trend", { low: words.percent(data.low), last: words.percent(data.last) });
  return <div class="trend" role="img" aria-label={label} ref={box} />;
}

function useHistory(segment: string, wanted: boolean): History | null {
  const [history, setHistory] = useState<History | null>(null);
  useEffect(() => {
    if (!wanted) return;
    let current = true;
    const renew = () =>
      getHistory(segment).then(
        (h) => current && setHistory(h),
        () => {}, // the last line stays; the tile itself says when all is old
      );
    void renew();
    const timer = setInterval(() => void renew(), renewMs);
    return () => {
      current = false;
      clearInterval(timer);
    };
  }, [segment, wanted]);
  return history;
}

const size = (element: HTMLElement) => ({ width: Math.max(40, element.clientWidth), height: Math.max(20, element.clientHeight) });
const sizeStep = (element: HTMLElement) => Math.round(4 * Math.log2(1 + Math.min(element.clientHeight, element.clientWidth / 2)));
const colour = (element: HTMLElement, name: string) => getComputedStyle(element).getPropertyValue(name).trim();

function chartOptions(element: HTMLElement, words: Words): uPlot.Options {
  const scale = () => Math.max(9, Math.min(24, element.clientHeight * 0.2, element.clientWidth * 0.07));
  const thick = () => Math.max(1.5, Math.min(element.clientHeight / 32, element.clientWidth / 75));
  return {
    ...size(element),
    legend: { show: false },
    cursor: { show: false },
    padding: [thick() * 2, scale() * 1.4, 0, scale() * 1.4],
    scales: {
      // A quarter of an hour at least, or the first minutes would be drawn as if they were a day.
      x: { time: true, range: (_, low, high) => [Math.min(low ?? 0, (high ?? 0) - 900), high ?? 0] },
      // Half of the scale is enough for most days; a worse one gets what it needs.
      y: { range: (_, low) => [Math.min(0.6, Math.floor((low ?? 1) * 10) / 10), 1.02] },
    },
    axes: [
      {
        show: element.clientHeight >= 48,
        stroke: () => colour(element, "--trend-axis"),
        font: `${scale()}px "Inter Variable", sans-serif`,
        size: scale() * 1.5,
        gap: scale() * 0.25,
        space: scale() * 6,
        grid: { show: false },
        ticks: { show: false },
        values: (_, splits) => splits.map((s) => words.time(s * 1000)),
      },
      { show: false },
    ],
    series: [
      {},
      {
        // Below the target in the colour of a miss, above it in the quiet one.
        stroke: (u) => split(u, element),
        width: thick(),
        points: { show: false },
        spanGaps: false,
      },
      { stroke: () => colour(element, "--trend-target"), width: Math.max(1, thick() / 2), dash: [5, 5], points: { show: false } },
    ],
    hooks: { draw: [(u) => lastPoint(u, element, thick())] },
  };
}

function split(u: uPlot, element: HTMLElement): string | CanvasGradient {
  const good = colour(element, "--trend");
  const target = Array.from(u.data[2] ?? []).find((v) => v !== null && v !== undefined);
  if (target === undefined || target === null) return good;
  const [top, height] = [u.bbox.top, u.bbox.height];
  const at = Math.min(1, Math.max(0, (u.valToPos(target, "y", true) - top) / height));
  const gradient = u.ctx.createLinearGradient(0, top, 0, top + height);
  gradient.addColorStop(at, good);
  gradient.addColorStop(at, colour(element, "--trend-missed"));
  return gradient;
}

function lastPoint(u: uPlot, element: HTMLElement, thick: number): void {
  const levels = u.data[1] ?? [];
  let i = levels.length - 1;
  while (i >= 0 && (levels[i] === null || levels[i] === undefined)) i--;
  if (i < 0) return;
  const [x, y] = [u.valToPos(u.data[0]![i]!, "x", true), u.valToPos(levels[i]!, "y", true)];
  const target = u.data[2]?.[i];
  const missed = target !== null && target !== undefined && levels[i]! < target;
  u.ctx.beginPath();
  u.ctx.arc(x, y, thick * 1.7 * devicePixelRatio, 0, 2 * Math.PI);
  u.ctx.fillStyle = colour(element, missed ? "--trend-missed" : "--trend");
  u.ctx.fill();
}
