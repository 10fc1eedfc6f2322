import { resolve } from "node:path";
import type { Command } from "commander";
import type { ProjectSettings } from "../../config/settings.ts";
import { GatewayError } from "../../errors/gateway-error.ts";
import type { Cli } from "../cli.ts";
import { EXIT, type ExitCode } from "../exit-codes.ts";
import { openGateway, settingsOf } from "../gateway-session.ts";
import { examples } from "../help.ts";
import { portOption } from "../option-parsers.ts";
import { alignedLines, tableLines } from "../table.ts";
import { isSystemError, isThere } from "../write-whole-file.ts";
import type { ImportProjectOptions } from "./project-import-pixl.ts";

const NEW_KEY_HELP = `
32 random bytes, readable by you alone. Pseudonyms are made with it: keep it, apart from the data.
A file that exists is never overwritten.
`;

const IMPORT_HELP = `
Reads the tag operations and recipes from beside FILE. The profile is written as profiles/NAME.yaml beside the settings file; the entry goes
to stdout, or with --add into the settings file. What cannot be carried over is named, and so are the files that secrets have to be put into.
`;

const CHANGE_KEY_HELP = `
A project whose studies were delivered with another key is not opened: the same patient would get another pseudonym.
Do this only when the old key is lost or exposed. It is written down, with its time, and cannot be taken back.
`;

export function addProjectVerbs(program: Command, cli: Cli): void {
  const project = program.command("project").description("the configured projects and their keys");
  project
    .command("list")
    .description("the projects")
    .addHelpText("after", examples("project list"))
    .action(cli.verb(() => list(cli)));
  project
    .command("show")
    .description("what a project is set to")
    .argument("<name>")
    .addHelpText("after", examples("project show lung-ct"))
    .action(cli.verb((name: string) => show(cli, name)));
  project
    .command("new-key")
    .description("make a key file for a project")
    .argument("<file>")
    .addHelpText("after", NEW_KEY_HELP + examples("project new-key keys/lung-ct.key"))
    .action(cli.verb((file: string) => newKey(cli, file)));
  project
    .command("change-key")
    .description("go on with the key of the settings though studies were delivered with another one")
    .argument("<name>")
    .addHelpText("after", CHANGE_KEY_HELP + examples("project change-key lung-ct"))
    .action(cli.verb((name: string) => changeKey(cli, name)));
  addImport(project, cli);
}

function addImport(project: Command, cli: Cli): void {
  project
    .command("import-pixl")
    .description("make a project of PIXL's configuration of one")
    .argument("<file>", "projects/configs/NAME.yaml of PIXL")
    .requiredOption("--archive <names...>", "archives of the settings, the first first")
    .option("--destination <names...>", "deliver to these of the settings, not to PIXL's")
    .option("--host <host>", "of the FTPS server; PIXL has it in its key vault")
    .option("--port <n>", "of the FTPS server", portOption)
    .option("--url <url>", "of the DICOMweb server or the XNAT")
    .option("--username <name>", "at the destination")
    .option("--accept-free-text", "study and series descriptions that PIXL keeps are cleaned, not refused")
    .option("--image-sizes <rowsxcolumns...>", "of the images that the project's image operations are for")
    .option("--signed-off <text>", "who answers for radiographs that do not say whether they are burned in")
    .option("--add", "add it to the settings file")
    .option("--force", "replace a profile that is there")
    .addHelpText(
      "after",
      IMPORT_HELP +
        examples(
          "project import-pixl configs/trial.yaml --archive vna pacs --host ftps.example.org --username trial --add",
        ),
    )
    .action(
      cli.verb(async (file: string, options: ImportProjectOptions) => {
        const { importProject } = await import("./project-import-pixl.ts");
        return await importProject(cli, file, options);
      }),
    );
}

async function changeKey(cli: Cli, name: string): Promise<ExitCode> {
  await using gateway = await openGateway(cli, "client");
  const document = await gateway.operations.changeProjectKey(name);
  await cli.printer.document(document, () => [
    document.changed ? `${name} goes on with another key` : `${name} has this key already`,
    ...alignedLines(document.keys.map(({ keyId, since, forced }) => [keyId, since, forced ? "forced" : ""])),
  ]);
  return EXIT.fine;
}

async function list(cli: Cli): Promise<ExitCode> {
  const { projects } = await settingsOf(cli);
  await cli.printer.list(projects, (all) =>
    tableLines(["PROJECT", "ARCHIVES", "DESTINATIONS", "PROFILE"], projectTable(all)),
  );
  return EXIT.fine;
}

async function* projectTable(projects: AsyncIterable<ProjectSettings>): AsyncGenerator<readonly string[]> {
  for await (const { name, archives, destinations, profile } of projects) {
    yield [name, archives.join(", "), destinations.join(", "), profile];
  }
}

async function show(cli: Cli, name: string): Promise<ExitCode> {
  const { projects } = await settingsOf(cli);
  const project = projects.find((candidate) => candidate.name === name);
  if (project === undefined) throw new GatewayError("PROJECT_UNKNOWN", { project: name });
  await cli.printer.document(project, () =>
    alignedLines(Object.entries(project).map(([setting, value]) => [setting, valueText(value)])),
  );
  return EXIT.fine;
}

function valueText(value: unknown): string {
  return typeof value === "string" ? value : JSON.stringify(value);
}

async function newKey({ world, printer, isRehearsal }: Cli, name: string): Promise<ExitCode> {
  const { generateProjectKey } = await import("../../deid/pseudonyms/project-key.ts");
  const file = resolve(world.workingFolder, name);
  if (isRehearsal()) {
    if (await isThere(file)) throw new GatewayError("KEY_FILE_EXISTS", { path: file });
    await printer.document({ file }, () => [`a key would be made in ${file}`]);
    return EXIT.fine;
  }
  const { id } = await generateProjectKey(file).catch((thrown: unknown) => {
    throw isSystemError(thrown) ? new GatewayError("FILE_NOT_WRITABLE", { reason: thrown.code }, thrown) : thrown;
  });
  await printer.document({ file, keyId: id }, () => [`made ${file}, key ${id}: keep it, apart from the data`]);
  return EXIT.fine;
}
