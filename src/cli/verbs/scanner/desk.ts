import type { ScannerDesk } from "../../../gateway/open-scanner-desk.ts";
import type { Cli } from "../../cli.ts";
import { tableLines } from "../../table.ts";

/** Listings end here. */
export const PAGE = 100_000;

/** The store of RADFERRY_HOME, to be closed by the caller. */
export async function openDesk({ world, logger, isRehearsal }: Cli): Promise<ScannerDesk> {
  const { openScannerDesk } = await import("../../../gateway/open-scanner-desk.ts");
  return await openScannerDesk({
    home: world.environment.RADFERRY_HOME,
    isRehearsal: isRehearsal(),
    clock: world.clock,
    logger: await logger("warn"),
  });
}

/** Documents as an array, or a table of some of their values. */
export async function printRows<T>(
  { printer }: Cli,
  items: Iterable<T> | AsyncIterable<T>,
  header: readonly string[],
  cells: (item: T) => readonly string[],
): Promise<void> {
  async function* lines(all: AsyncIterable<T>): AsyncGenerator<string> {
    yield* tableLines(header, rowsOf(all));
  }
  async function* rowsOf(all: AsyncIterable<T>): AsyncGenerator<readonly string[]> {
    for await (const item of all) yield cells(item);
  }
  const count = await printer.list(items, lines);
  if (count === 0 && !printer.json) printer.note("none");
}

export function isoTime(ms: number | undefined): string | null {
  return ms === undefined ? null : new Date(ms).toISOString();
}
