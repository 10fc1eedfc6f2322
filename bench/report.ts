import { type ComparisonResult, megabytes } from "./harness.ts";
import { relativeSpread } from "./statistics.ts";

/** The table of a comparison as Markdown, its gates below. */
export function* reportLines({ title, unit, contenders, gates, leftOut }: ComparisonResult): Generator<string> {
  const [first] = contenders;
  yield "";
  yield `### ${title}`;
  yield "";
  yield `| contender | ${unit}, median | lowest–highest | spread | to the first | peak RSS |`;
  yield "|---|---|---|---|---|---|";
  for (const { name, figure, peakRssBytes } of contenders) {
    const { median, lowest, highest, runs } = figure;
    const cells = [
      name,
      shown(median),
      `${shown(lowest)}–${shown(highest)} of ${runs}`,
      `${Math.round(relativeSpread(figure) * 100)} %`,
      `${(median / (first?.figure.median ?? median)).toFixed(2)} ×`,
      peakRssBytes === 0 ? "" : megabytes(peakRssBytes),
    ];
    yield `| ${cells.join(" | ")} |`;
  }
  if (gates.length > 0) yield "";
  for (const { gate, measured, met } of gates) yield `- ${met ? "met" : "MISSED"}: ${gate}: ${measured}`;
  for (const line of leftOut) yield `- left out: ${line}`;
}

function shown(figure: number): string {
  return figure >= 100 ? figure.toFixed(0) : figure.toPrecision(3);
}
