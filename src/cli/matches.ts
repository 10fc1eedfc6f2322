import type { DataSet } from "../dicom/data-set.ts";
import type { Cli } from "./cli.ts";
import { EXIT, type ExitCode } from "./exit-codes.ts";

/** Prints C-FIND answers: an array of DICOM JSON (PS3.18 F), or their elements with a blank line between answers. */
export async function printMatches(
  { printer }: Cli,
  matches: AsyncIterable<DataSet>,
  maximumAnswers: number,
): Promise<ExitCode> {
  const count = printer.json ? await printAsJson(printer, matches) : await printer.list(matches, elementLines);
  if (count === 0) printer.note("nothing matches");
  if (count >= maximumAnswers) printer.note(`stopped after ${count} answers; --max allows more`);
  return EXIT.fine;
}

async function printAsJson(printer: Cli["printer"], matches: AsyncIterable<DataSet>): Promise<number> {
  const { toDicomJson } = await import("../dicom/json.ts");
  async function* documents() {
    for await (const match of matches) yield toDicomJson(match);
  }
  return await printer.list(documents(), async function* () {});
}

async function* elementLines(matches: AsyncIterable<DataSet>): AsyncGenerator<string> {
  const { dumpLines } = await import("../dicom/dump.ts");
  let isFirst = true;
  for await (const match of matches) {
    if (!isFirst) yield "";
    isFirst = false;
    yield* dumpLines(match);
  }
}
