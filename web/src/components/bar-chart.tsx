import "uplot/dist/uPlot.min.css";
import { useEffect, useRef } from "preact/hooks";
import uPlot from "uplot";
import { isDark } from "../browser/theme.ts";

interface BarChartProps {
  /** Read out instead of the picture. */
  readonly label: string;
  readonly bars: readonly { readonly atSeconds: number; readonly value: number }[];
  readonly unit: string;
}

const HEIGHT = 190;

/** Counts over time, the zone the browser's. */
export function BarChart({ label, bars, unit }: BarChartProps) {
  const frame = useRef<HTMLDivElement>(null);
  const chart = useRef<uPlot | undefined>(undefined);
  const dark = isDark();
  useEffect(() => {
    const element = frame.current;
    if (element === null) return undefined;
    const drawn = new uPlot(optionsFor(element, unit), dataOf(bars), element);
    chart.current = drawn;
    const watch = new ResizeObserver(() => drawn.setSize({ width: element.clientWidth, height: HEIGHT }));
    watch.observe(element);
    return () => {
      watch.disconnect();
      drawn.destroy();
    };
    // Colours are read when it is drawn; what is drawn comes by setData.
  }, [dark, unit]);
  useEffect(() => chart.current?.setData(dataOf(bars)), [bars]);
  const total = bars.reduce((sum, { value }) => sum + value, 0);
  return <div ref={frame} class="chart" role="img" aria-label={`${label}: ${total} in all`} />;
}

function dataOf(bars: BarChartProps["bars"]): uPlot.AlignedData {
  return [bars.map(({ atSeconds }) => atSeconds), bars.map(({ value }) => value)];
}

function optionsFor(element: HTMLElement, unit: string): uPlot.Options {
  const colour = colourIn(element);
  const { bars } = uPlot.paths;
  const font = `12px ${getComputedStyle(element).fontFamily}`;
  const axis = {
    stroke: colour("--text-quiet"),
    grid: { stroke: colour("--line"), width: 1 },
    ticks: { show: false },
    font,
  };
  return {
    width: element.clientWidth,
    height: HEIGHT,
    cursor: { y: false, drag: { setScale: false } },
    legend: { live: true },
    scales: { y: { range: (_, __, most) => [0, Math.max(4, Math.ceil(most * 1.1))] } },
    axes: [
      { ...axis, grid: { show: false }, space: 70 },
      {
        ...axis,
        size: 42,
        incrs: [1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000, 2_000, 5_000, 10_000, 20_000, 50_000, 100_000],
      },
    ],
    series: [
      {},
      {
        label: unit,
        fill: colour("--accent"),
        stroke: colour("--accent"),
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
