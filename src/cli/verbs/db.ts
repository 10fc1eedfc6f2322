import { resolve } from "node:path";
import { type Command, Option } from "commander";
import type { Cli } from "../cli.ts";
import { counted } from "../counted.ts";
import { EXIT, type ExitCode } from "../exit-codes.ts";
import { openGateway, settingsOf } from "../gateway-session.ts";
import { examples } from "../help.ts";

const BACKUP_HELP = `
The file holds the whole store as it is at one moment: cohorts, studies with their ledger, the audit trail, tokens by their digests. It names
people: keep it as you keep the home. Work goes on while it is written. Keys, passwords and the settings file are not in it: keep them elsewhere.
`;

const RESTORE_HELP = `
The home of the settings has to be empty. Version, wholeness and audit trail of the backup are checked before anything is there. At the next
start work goes on: destinations are asked what they hold, and what was delivered since the backup is not delivered again.
It knows nothing of what was decided after it was made: before the start, run patient withdraw and token revoke again for that time.
`;

const MIGRATE_HELP = `
Every start does this by itself. By this verb it is done beforehand, such as in an update's window; the service has to be stopped. There is no way
back but a backup.

With --from sqlite --to postgres the embedded store of the home is moved to the database that the settings name (store.kind: postgres). The file
stays as it is; nobody can work with the database before all of it has arrived and was compared. Broken off, the same verb goes on where it was.
`;

export function addDatabaseVerbs(program: Command, cli: Cli): void {
  const database = program.command("db").description("the store of the home: backup, restore, update");
  database
    .command("backup")
    .description("write the store into a file, while the service runs")
    .requiredOption("-o, --output <file>", "the file; it must not be there yet")
    .addHelpText("after", BACKUP_HELP + examples("db backup -o /backup/radferry-2026-11-21.db"))
    .action(cli.verb((options: { readonly output: string }) => backUp(cli, options.output)));
  database
    .command("restore")
    .description("make an empty home of a backup")
    .argument("<file>")
    .addHelpText("after", RESTORE_HELP + examples("db restore /backup/radferry-2026-11-21.db"))
    .action(cli.verb((file: string) => restore(cli, file)));
  database
    .command("migrate")
    .description("bring the store to this version, or move it to a database server")
    .addOption(new Option("--from <kind>", "the store that is moved; with --to").choices(["sqlite"]))
    .addOption(new Option("--to <kind>", "where it is moved; with --from").choices(["postgres"]))
    .addHelpText("after", MIGRATE_HELP + examples("db migrate", "db migrate --from sqlite --to postgres"))
    .action(
      cli.verb(({ from, to }: { readonly from?: string; readonly to?: string }, command: Command) => {
        if ((from === undefined) !== (to === undefined)) command.error("error: --from and --to go together");
        return from === undefined ? migrate(cli) : move(cli);
      }),
    );
}

async function backUp(cli: Cli, output: string): Promise<ExitCode> {
  await using gateway = await openGateway(cli, "client");
  const document = await gateway.operations.backUp(resolve(cli.world.workingFolder, output), {
    isRehearsal: cli.isRehearsal(),
  });
  await cli.printer.document(document, () => [
    `${document.file}: ${counted(document.jobs, "study")}, ${counted(document.auditRecords, "audit record")}`,
    ...("sha256" in document ? [`${counted(document.sizeBytes, "byte")}, SHA-256 ${document.sha256}`] : []),
    "not in it, to be kept elsewhere:",
    ...document.leftOut.map((each) => `  ${each}`),
  ]);
  return EXIT.fine;
}

async function restore(cli: Cli, file: string): Promise<ExitCode> {
  const { restoreHome } = await import("../../gateway/restore-home.ts");
  const settings = await settingsOf(cli);
  const { clock, workingFolder } = cli.world;
  const facts = await restoreHome(resolve(workingFolder, file), { settings, clock, isRehearsal: cli.isRehearsal() });
  await cli.printer.document({ home: settings.home, ...facts }, () => [
    `${settings.home} is as it was: ${counted(facts.jobs, "study")}, ${counted(facts.auditRecords, "audit record")}`,
    "before the service is started: put the old home's folder keys there, withdraw again the patients who were withdrawn after the backup was made, and revoke again the tokens that were revoked",
    "then start it: work goes on from there",
  ]);
  return EXIT.fine;
}

async function migrate(cli: Cli): Promise<ExitCode> {
  const { migrateHome } = await import("../../gateway/restore-home.ts");
  const settings = await settingsOf(cli);
  await migrateHome({ settings, clock: cli.world.clock, isRehearsal: cli.isRehearsal() });
  const migrated = !cli.isRehearsal();
  await cli.printer.document({ home: settings.home, migrated }, () => [
    migrated ? "the store is of this version" : "the store can be brought to this version",
  ]);
  return EXIT.fine;
}

/** At the most so often for each table. */
const TOLD_EVERY_ROWS = 10_000;

async function move(cli: Cli): Promise<ExitCode> {
  const { moveHome } = await import("../../gateway/move-home.ts");
  const settings = await settingsOf(cli);
  const { printer, world } = cli;
  let told = 0;
  const tables = await moveHome({
    settings,
    clock: world.clock,
    isRehearsal: cli.isRehearsal(),
    signal: world.stop,
    onProgress: ({ table, rows, of }) => {
      told = rows < told ? 0 : told;
      if (rows < of && rows - told < TOLD_EVERY_ROWS) return;
      told = rows;
      printer.note(`${table}: ${rows} of ${counted(of, "row")}`);
    },
  });
  const rows = tables.reduce((sum, table) => sum + table.rows, 0);
  const moved = !cli.isRehearsal();
  await printer.document({ home: settings.home, moved, rows, tables }, () => [
    ...tables.filter((table) => table.rows > 0).map((table) => `${table.table}: ${counted(table.rows, "row")}`),
    moved
      ? `${counted(rows, "row")} moved, none of them changed; start the service`
      : `${counted(rows, "row")} would be moved`,
  ]);
  return EXIT.fine;
}
