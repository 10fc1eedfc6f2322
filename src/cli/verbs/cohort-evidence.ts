import { resolve } from "node:path";
import type { Command } from "commander";
import type { EvidenceVerdict } from "../../operations/evidence/documents.ts";
import type { Cli } from "../cli.ts";
import { counted } from "../counted.ts";
import { EXIT, type ExitCode } from "../exit-codes.ts";
import { openGateway } from "../gateway-session.ts";
import { examples } from "../help.ts";
import { writeWholeFile } from "../write-whole-file.ts";

export function addEvidenceOfCohortVerb(cohort: Command, cli: Cli): void {
  cohort
    .command("evidence")
    .description(
      "a signed zip to file away: what was asked, what came, what was done to it, what was delivered; it names nobody",
    )
    .argument("<id>")
    .requiredOption("-o, --output <file>", "where to write it")
    .addHelpText("after", examples("cohort evidence ID -o evidence.zip"))
    .action(cli.verb((id: string, options: { readonly output: string }) => write(cli, id, options.output)));
}

async function write(cli: Cli, id: string, output: string): Promise<ExitCode> {
  await using gateway = await openGateway(cli, "client");
  const file = resolve(cli.world.workingFolder, output);
  await writeWholeFile(file, gateway.operations.exportEvidence(id));
  const { verifyEvidence } = await import("../../operations/evidence/verify-evidence.ts");
  const { fingerprint, ok } = await verifyEvidence(file);
  await cli.printer.document({ cohort: id, file, fingerprint }, () => [
    `written: ${file}`,
    `signed with the key ${fingerprint}: write this down where the file is not`,
  ]);
  return ok ? EXIT.fine : EXIT.failed;
}

const VERIFY_HELP = `
Without --public-key it is told whether the file is whole, and not by whom it was made: whoever changes a file can sign it anew with
a key of his own. Exit code 0 when the file is as it was signed, 1 when it is not.
`;

export function addEvidenceVerbs(program: Command, cli: Cli): void {
  const evidence = program.command("evidence").description("signed evidence of cohorts");
  evidence
    .command("verify")
    .description("check signature, digests and completeness of an evidence file; needs no configuration")
    .argument("<file>")
    .option("--public-key <file>", "PEM of the key that should have signed it")
    .addHelpText("after", VERIFY_HELP + examples("evidence verify evidence.zip --public-key gateway.pem"))
    .action(cli.verb((file: string, options: { readonly publicKey?: string }) => check(cli, file, options.publicKey)));
}

async function check(cli: Cli, file: string, keyFile: string | undefined): Promise<ExitCode> {
  const { verifyEvidence } = await import("../../operations/evidence/verify-evidence.ts");
  const { readPublicKey } = await import("../../operations/evidence/signing-key.ts");
  const { workingFolder } = cli.world;
  const trusted = keyFile === undefined ? undefined : await readPublicKey(resolve(workingFolder, keyFile));
  const verdict = await verifyEvidence(resolve(workingFolder, file), trusted);
  await cli.printer.document(verdict, () => lines(verdict));
  return verdict.ok ? EXIT.fine : EXIT.failed;
}

const ORIGINS: { readonly [O in EvidenceVerdict["origin"]]: string } = {
  proven: "signed by the key that was given",
  "not-checked": "by whom is not known: give --public-key to be sure",
  other: "NOT signed by the key that was given",
};

function* lines({ ok, origin, fingerprint, manifest, findings }: EvidenceVerdict): Generator<string> {
  yield ok ? `whole: nothing was changed, removed or added; ${ORIGINS[origin]}` : "NOT as it was signed";
  for (const { problem, entry } of findings) yield `  ${problem}${entry === "" ? "" : `: ${entry}`}`;
  if (fingerprint !== null) yield `key in the file: ${fingerprint}`;
  if (manifest === null) return;
  const { project, cohort, madeAt, rows, studies, delivered, software, audit } = manifest;
  yield `cohort ${cohort} of project ${project}, made ${madeAt} by radferry ${software.version}`;
  yield `${counted(rows, "row")}, ${counted(studies, "study")}, ${delivered.studies} delivered with ${counted(delivered.files, "file")}`;
  yield `audit trail then: ${audit.count}:${audit.hash}`;
}
