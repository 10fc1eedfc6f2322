import "uplot/dist/uPlot.min.css";
import { useEffect, useRef, useState } from "preact/hooks";
import uPlot from "uplot";
import { isDark } from "../browser/theme.ts";
import { countText } from "./numbers.ts";

interface Bar {
  readonly atSeconds: number;
  readonly value: number;
}

interface BarChartProps {
  /** Read out instead of the picture. */
  readonly label: string;
  readonly bars: readonly Bar[];
  /** Of the values: one of them, and several. */
  readonly unit: readonly [one: string, many: string];
}

const HEIGHT = 190;
const clockTime = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit" });
const day = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short" });

/** Counts over time, in the browser's zone. Where the pointer is, the count is said below. */
export function BarChart({ label, bars, unit }: BarChartProps) {
  const frame = useRef<HTMLDivElement>(null);
  const chart = useRef<uPlot | undefined>(undefined);
  const [pointed, setPointed] = useState<number | null>();
  const latest = useRef(bars);
  latest.current = bars;
  const dark = isDark();
  useEffect(() => {
    const element = frame.current;
    if (element === null) return undefined;
    const drawn = new uPlot(optionsFor(element, setPointed), dataOf(latest.current), element);
    chart.current = drawn;
    const watch = new ResizeObserver(() => drawn.setSize({ width: element.clientWidth, height: HEIGHT }));
    watch.observe(element);
    return () => {
      watch.disconnect();
      drawn.destroy();
    };
  }, [dark]);
  useEffect(() => chart.current?.setData(dataOf(bars)), [bars]);
  const total = bars.reduce((sum, { value }) => sum + value, 0);
  const bar = typeof pointed === "number" ? bars[pointed] : undefined;
  return (
    <div>
      <div ref={frame} class="chart" role="img" aria-label={`${label}: ${countText(total, ...unit)} in all`} />
      <p class="chart-line quiet" aria-hidden="true">
        {bar !== undefined &&
          `${day.format(bar.atSeconds * 1_000)}, ${clockTime.format(bar.atSeconds * 1_000)}: ${countText(bar.value, ...unit)}`}
      </p>
    </div>
  );
}

function dataOf(bars: readonly Bar[]): uPlot.AlignedData {
  return [bars.map(({ atSeconds }) => atSeconds), bars.map(({ value }) => value)];
}

/** The day where one begins, the hour within one. */
function tickText(atSeconds: number): string {
  const text = clockTime.format(atSeconds * 1_000);
  return text === "00:00" ? day.format(atSeconds * 1_000) : text;
}

function optionsFor(element: HTMLElement, onPointed: (index: number | null | undefined) => void): uPlot.Options {
  const colour = colourIn(element);
  const font = `12px ${getComputedStyle(element).fontFamily}`;
  const axis = { stroke: colour("--text-quiet"), ticks: { show: false }, font };
  const { bars } = uPlot.paths;
  const accent = colour("--accent");
  return {
    width: element.clientWidth,
    height: HEIGHT,
    cursor: { y: false, points: { show: false }, drag: { setScale: false } },
    legend: { show: false },
    hooks: { setCursor: [({ cursor }) => onPointed(cursor.idx)] },
    scales: { y: { range: (_, __, most) => [0, Math.max(4, Math.ceil(most * 1.1))] } },
    axes: [
      { ...axis, grid: { show: false }, space: 60, size: 26, values: (_, ticks) => ticks.map(tickText) },
      {
        ...axis,
        grid: { stroke: colour("--line"), width: 1 },
        size: 42,
        // Counts are whole.
        values: (_, ticks) => ticks.map((tick) => (Number.isInteger(tick) ? String(tick) : "")),
      },
    ],
    series: [
      {},
      {
        fill: accent,
        stroke: accent,
        width: 0,
        points: { show: false },
        ...(bars === undefined ? {} : { paths: bars({ size: [0.72, 28], radius: 0.15 }) }),
      },
    ],
  };
}

/** A canvas knows no custom properties, nor light-dark(): the browser resolves them on an element. */
function colourIn(parent: HTMLElement): (property: string) => string {
  return (property) => {
    const probe = document.createElement("span");
    probe.style.color = `var(${property})`;
    parent.append(probe);
    const { color } = getComputedStyle(probe);
    probe.remove();
    return color;
  };
}
