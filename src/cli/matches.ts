import type { DataSet } from "../dicom/data-set.ts";
import { GatewayError } from "../errors/gateway-error.ts";
import type { Cli } from "./cli.ts";
import { counted } from "./counted.ts";
import { EXIT, type ExitCode } from "./exit-codes.ts";

/**
 * Prints C-FIND answers: an array of DICOM JSON (PS3.18 F), or their elements with a blank line between answers. A listing that ends at
 * our own maximum is what was asked for; one that the peer cut short is partial.
 */
export async function printMatches({ printer }: Cli, matches: AsyncIterable<DataSet>): Promise<ExitCode> {
  let stoppedBy: unknown;
  async function* upToLimit(): AsyncGenerator<DataSet> {
    try {
      yield* matches;
    } catch (thrown) {
      if (!(thrown instanceof GatewayError) || thrown.code !== "FIND_LIMIT_REACHED") throw thrown;
      stoppedBy = thrown.details.by;
    }
  }
  const count = printer.json ? await printAsJson(printer, upToLimit()) : await printer.list(upToLimit(), elementLines);
  if (count === 0) printer.note("nothing matches");
  if (stoppedBy === "us") printer.note(`stopped after ${counted(count, "answer")}; --max allows more`);
  if (stoppedBy === "peer")
    printer.note(`the peer stopped after ${counted(count, "answer")} and has more; narrow the search`);
  return stoppedBy === "peer" ? EXIT.partial : EXIT.fine;
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
