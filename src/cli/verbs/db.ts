import { resolve } from "node:path";
import type { Command } from "commander";
import type { Cli } from "../cli.ts";
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
`;

const MIGRATE_HELP = `
Every start does this by itself. By this verb it is done beforehand, such as in an update's window; the service has to be stopped. There is no way
back but a backup.
`;

export function addDatabaseVerbs(program: Command, cli: Cli): void {
  const database = program.command("db").description("the store of the home: backup, restore, update");
  database
    .command("backup")
    .description("write the store into a file, while the service runs")
    .requiredOption("-o, --output <file>", "the file; it must not be there yet")
    .addHelpText("after", BACKUP_HELP + examples("db backup", "db backup -o /backup/radferry-2026-11-21.db"))
    .action(cli.verb((options: { readonly output: string }) => backUp(cli, options.output)));
  database
    .command("restore")
    .description("make an empty home of a backup")
    .argument("<file>")
    .addHelpText("after", RESTORE_HELP + examples("db restore", "db restore /backup/radferry-2026-11-21.db"))
    .action(cli.verb((file: string) => restore(cli, file)));
  database
    .command("migrate")
    .description("bring the store to this version")
    .addHelpText("after", MIGRATE_HELP + examples("db migrate"))
    .action(cli.verb(() => migrate(cli)));
}

async function backUp(cli: Cli, output: string): Promise<ExitCode> {
  await using gateway = await openGateway(cli, "client");
  const document = await gateway.operations.backUp(resolve(cli.world.workingFolder, output), {
    isRehearsal: cli.isRehearsal(),
  });
  await cli.printer.document(document, () => [
    `${document.file}: ${document.jobs} studies, ${document.auditRecords} audit records`,
    ...("sha256" in document ? [`${document.sizeBytes} bytes, SHA-256 ${document.sha256}`] : []),
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
    `${settings.home} is as it was: ${facts.jobs} studies, ${facts.auditRecords} audit records`,
    "start the service: work goes on from there",
  ]);
  return EXIT.fine;
}

async function migrate(cli: Cli): Promise<ExitCode> {
  const { migrateHome } = await import("../../gateway/restore-home.ts");
  const settings = await settingsOf(cli);
  await migrateHome({ settings, clock: cli.world.clock, isRehearsal: cli.isRehearsal() });
  await cli.printer.document({ home: settings.home, migrated: true }, () => ["the store is of this version"]);
  return EXIT.fine;
}
