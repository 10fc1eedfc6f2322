import { type ComparisonResult, megabytes } from "./harness.ts";
import { relativeSpread } from "./statistics.ts";

/** The tables of a comparison as Markdown, its gates below. */
export function* reportLines({ title, figures, contenders, gates, leftOut }: ComparisonResult): Generator<string> {
  yield "";
  yield `### ${title}`;
  for (const [name, unit] of Object.entries(figures)) {
    const first = contenders[0]?.figures[name]?.median;
    yield "";
    yield `| ${name} | median, ${unit} | lowest to highest | spread | to the first | peak RSS |`;
    yield "|---|---|---|---|---|---|";
    for (const contender of contenders) {
      const figure = contender.figures[name];
      if (figure === undefined) continue;
      const { median, lowest, highest, runs } = figure;
      const cells = [
        contender.name,
        shown(median),
        `${shown(lowest)} to ${shown(highest)} of ${runs}`,
        `${Math.round(relativeSpread(figure) * 100)} %`,
        `${(median / (first ?? median)).toFixed(2)} ×`,
        contender.peakRssBytes === 0 ? "" : megabytes(contender.peakRssBytes),
      ];
      yield `| ${cells.join(" | ")} |`;
    }
  }
  if (gates.length > 0) yield "";
  for (const { gate, measured, met } of gates) yield `- ${met ? "met" : "MISSED"}: ${gate}: ${measured}`;
  for (const line of leftOut) yield `- left out: ${line}`;
}

function shown(figure: number): string {
  return figure >= 100 ? figure.toFixed(0) : figure.toPrecision(3);
}
