import { resolve } from "node:path";
import type { Command } from "commander";
import { GatewayError } from "../../errors/gateway-error.ts";
import type { LinkageDestroyedDocument, LinkageWish } from "../../operations/linkage-operations.ts";
import type { Cli } from "../cli.ts";
import { counted } from "../counted.ts";
import { EXIT, type ExitCode } from "../exit-codes.ts";
import { openGateway } from "../gateway-session.ts";
import { examples } from "../help.ts";
import { alignedLines } from "../table.ts";
import { writeWholeFile } from "../write-whole-file.ts";

const LOOKUP_HELP = `
That somebody looked, and at which pseudonym, is written to the audit trail before anything is shown. Needs the role admin.
`;

const DESTROY_HELP = `
Overwrites every link of the project and the key that they are sealed under. It cannot be taken back: --dry-run shows what it would be. Prints a
proof, which stands in the audit trail too. What else tells who was who is named in docs/linkage.md: backups, the key file, the jobs themselves.
`;

export function addLinkageVerbs(program: Command, cli: Cli): void {
  const linkage = program.command("linkage").description("who was who in a project, for those who may know");
  linkage
    .command("lookup")
    .description("who a pseudonym stands for, or what became of a patient")
    .requiredOption("--project <name>", "the project")
    .option("--pseudonym <pseudonym>", "as in the de-identified copies")
    .option("--patient <id>", "the patient's id in the archive")
    .addHelpText("after", LOOKUP_HELP + examples("linkage lookup --project lung-ct --pseudonym PSEUDONYM"))
    .action(cli.verb((options: LookupOptions) => lookUp(cli, options)));
  linkage
    .command("export")
    .description("every link of a project, as CSV")
    .requiredOption("--project <name>", "the project")
    .requiredOption("-o, --output <file>", "where to write it, readable by you alone; - for stdout")
    .addHelpText("after", examples("linkage export --project lung-ct -o links.csv"))
    .action(cli.verb((options: ExportOptions) => exportTo(cli, options)));
  linkage
    .command("destroy")
    .description("destroy the links of a project for good")
    .requiredOption("--project <name>", "the project")
    .addHelpText("after", DESTROY_HELP + examples("linkage destroy --project lung-ct --dry-run"))
    .action(cli.verb(({ project }: { readonly project: string }) => destroy(cli, project)));
}

interface LookupOptions {
  readonly project: string;
  readonly pseudonym?: string;
  readonly patient?: string;
}

async function lookUp(cli: Cli, { project, pseudonym, patient }: LookupOptions): Promise<ExitCode> {
  const wish = wishOf(pseudonym, patient);
  await using gateway = await openGateway(cli, "client");
  const document = await gateway.operations.lookUpLinkage(project, wish);
  await cli.printer.document(document, () =>
    document.items.length === 0
      ? ["nobody is linked so"]
      : alignedLines([
          ["PATIENT", "PSEUDONYM", "STUDY UID", "NEW STUDY UID", "ACCESSION", "STUDY"],
          ...document.items.map((link) => [
            ...[link.patientId, link.pseudonym, link.studyInstanceUid, link.pseudoStudyInstanceUid],
            ...[link.accessionNumber, link.study],
          ]),
        ]),
  );
  return document.items.length === 0 ? EXIT.failed : EXIT.fine;
}

function wishOf(pseudonym: string | undefined, patientId: string | undefined): LinkageWish {
  if (pseudonym !== undefined && patientId === undefined) return { pseudonym };
  if (patientId !== undefined && pseudonym === undefined) return { patientId };
  throw new GatewayError("USAGE_INVALID", { problem: "name either --pseudonym or --patient" });
}

interface ExportOptions {
  readonly project: string;
  readonly output: string;
}

async function exportTo(cli: Cli, { project, output }: ExportOptions): Promise<ExitCode> {
  const { printer, world } = cli;
  if (output === "-" && printer.json)
    throw new GatewayError("USAGE_INVALID", { problem: "-o - and --json both want stdout" });
  await using gateway = await openGateway(cli, "client");
  const links = gateway.operations.exportLinkage(project);
  if (output === "-") {
    for await (const piece of links) await printer.text(piece);
    return EXIT.fine;
  }
  const file = resolve(world.workingFolder, output);
  await writeWholeFile(file, links);
  await printer.document({ project, file }, () => [`written: ${file}`]);
  return EXIT.fine;
}

async function destroy(cli: Cli, project: string): Promise<ExitCode> {
  await using gateway = await openGateway(cli, "client");
  const document = await gateway.operations.destroyLinkage(project, { isRehearsal: cli.isRehearsal() });
  await cli.printer.document(document, () => destroyedLines(document));
  return EXIT.fine;
}

function* destroyedLines({ project, destroyed, links, digest, at, journalEmptied }: LinkageDestroyedDocument) {
  if (!destroyed) {
    yield `${counted(links, "link")} of ${project} would be destroyed`;
    return;
  }
  yield `the linkage of ${project} is destroyed`;
  yield* alignedLines([
    ["  links", `${links}`],
    ["  SHA-256 of them", digest ?? ""],
    ["  at", at ?? ""],
  ]);
  if (journalEmptied === false) yield "  the store was being read: its journal is emptied when the service starts next";
  yield "remove linkageKeyFile from the settings, then the key file: backups of the store open with it";
}
