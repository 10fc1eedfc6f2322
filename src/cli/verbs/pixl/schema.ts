import { type Database, openDatabase } from "../../../compat/pixl/database/connection.ts";
import { currentRevision, downgrade, type MigrationReport, upgrade } from "../../../compat/pixl/database/migrate.ts";
import { BASE, HEAD, REVISIONS } from "../../../compat/pixl/database/revisions.ts";
import { readDriverSettings } from "../../../compat/pixl/driver/settings.ts";
import type { Cli } from "../../cli.ts";
import { counted } from "../../counted.ts";
import { EXIT, type ExitCode } from "../../exit-codes.ts";
import { tableLines } from "../../table.ts";

async function open({ world }: Cli): Promise<Database> {
  const { migrations } = await readDriverSettings(world.environment, world.workingFolder);
  return await openDatabase(migrations);
}

export async function currentVerb(cli: Cli): Promise<ExitCode> {
  await using database = await open(cli);
  const current = await currentRevision(database);
  const isHead = current === HEAD;
  await cli.printer.document({ current: current ?? null, head: HEAD, isHead }, () => [
    `${current ?? BASE}${isHead ? " (head)" : ""}`,
  ]);
  return EXIT.fine;
}

export async function upgradeVerb(cli: Cli, revision: string): Promise<ExitCode> {
  await using database = await open(cli);
  return await show(cli, await upgrade(database, revision));
}

export async function downgradeVerb(cli: Cli, revision: string): Promise<ExitCode> {
  await using database = await open(cli);
  return await show(cli, await downgrade(database, revision));
}

async function show(cli: Cli, { from, to, steps }: MigrationReport): Promise<ExitCode> {
  await cli.printer.document({ from: from ?? null, to: to ?? null, steps }, () => [
    `${from ?? BASE} -> ${to ?? BASE}, ${counted(steps.length, "step")}`,
  ]);
  return EXIT.fine;
}

export async function historyVerb(cli: Cli): Promise<ExitCode> {
  const revisions = REVISIONS.map(({ revision, before, date, summary }) => ({
    revision,
    before: before ?? null,
    date,
    summary,
    isHead: revision === HEAD,
  }));
  await cli.printer.list(revisions, (all) => tableLines(["REVISION", "DATE", "WHAT"], tableOf(all)));
  return EXIT.fine;
}

async function* tableOf(
  revisions: AsyncIterable<{ readonly revision: string; readonly date: string; readonly summary: string }>,
): AsyncGenerator<readonly string[]> {
  for await (const { revision, date, summary } of revisions) yield [revision, date, summary];
}
