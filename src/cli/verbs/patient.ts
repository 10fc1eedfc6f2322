import { resolve } from "node:path";
import type { Command } from "commander";
import { loadOptOut } from "../../cohort/opt-out.ts";
import { GatewayError } from "../../errors/gateway-error.ts";
import type { Operations } from "../../operations/operations.ts";
import type { GivenUpNode, WaitedFor, WithdrawalDocument } from "../../operations/withdrawal-operations.ts";
import type { Cli } from "../cli.ts";
import { areCounted, counted } from "../counted.ts";
import { EXIT, type ExitCode } from "../exit-codes.ts";
import { openGateway } from "../gateway-session.ts";
import { examples } from "../help.ts";
import { alignedLines } from "../table.ts";

const HELP = `
Stops what is under way of the patients, removes every copy that was delivered and proves it by read-back. From then on they are neither asked for
nor delivered in the project. Where a destination cannot remove, what a person has to remove there is listed: run it again when that is done, and
it looks whether it is gone. Exit code 0: nothing is left for anybody; 3: something is. Run again, it goes on with what was left. The file is a
list of patient ids as for optOut: a patient id on the command line stands in the shell's history. See docs/withdrawal.md.
`;

interface WithdrawOptions {
  readonly project?: string;
  readonly patientId?: readonly string[];
  readonly file?: string;
  readonly reason?: string;
}

export function addPatientVerbs(program: Command, cli: Cli): void {
  const patient = program.command("patient").description("patients who are taken out of projects");
  patient
    .command("withdraw")
    .description("remove every delivered copy of patients, and never deliver them again")
    .option("--project <name>", "the project; all of them unless told")
    .option("--patient-id <id...>", "patient ids as the archives have them")
    .option("--file <file>", "a list of patient ids")
    .option("--reason <text>", "why, for the audit trail; without any identifier")
    .addHelpText("after", HELP + examples("patient withdraw --project lung-ct --file withdrawn.csv --dry-run"))
    .action(cli.verb((options: WithdrawOptions) => withdraw(cli, options)));
}

async function withdraw(cli: Cli, { project, patientId, file, reason }: WithdrawOptions): Promise<ExitCode> {
  const patientIds = await patientsOf(cli, patientId, file);
  await using gateway = await openGateway(cli, "client");
  const { operations } = gateway;
  const documents: WithdrawalDocument[] = [];
  for (const each of project === undefined ? await projectsOf(operations) : [project])
    documents.push(await operations.withdrawPatients(each, { patientIds, reason, isRehearsal: cli.isRehearsal() }));
  await cli.printer.document({ projects: documents }, () => documents.flatMap((each) => [...linesOf(each)]));
  return documents.every(isOver) || cli.isRehearsal() ? EXIT.fine : EXIT.partial;
}

function isOver({ left, waitingFor, unaskedHeld }: WithdrawalDocument): boolean {
  return left.length === 0 && waitingFor.length === 0 && unaskedHeld === 0;
}

async function projectsOf(operations: Operations): Promise<readonly string[]> {
  return (await operations.listProjects()).map(({ name }) => name);
}

async function patientsOf(
  { world }: Cli,
  named: readonly string[] | undefined,
  file: string | undefined,
): Promise<readonly string[]> {
  if ((named === undefined) === (file === undefined))
    throw new GatewayError("USAGE_INVALID", { problem: "name either --patient-id or --file" });
  if (file === undefined) return named ?? [];
  return [...(await loadOptOut([resolve(world.workingFolder, file)]))];
}

function* linesOf(document: WithdrawalDocument) {
  const { project, dryRun, destinations, left, unaskedHeld } = document;
  yield `${project}: ${summaryOf(document)}`;
  if (destinations.length > 0) {
    yield* alignedLines([
      ["  DESTINATION", "REMOVED", "ABSENT", "PERSON", "FAILED", "TO DO"],
      ...destinations.map(({ name, copies: { removed, absent, person, failed, waiting } }) => [
        `  ${name}`,
        ...[removed, absent, person, failed, waiting].map(String),
      ]),
    ]);
  }
  yield* document.waitingFor.map((each) => waitingLine(each, dryRun));
  yield* document.givenUp.map(givenUpLine);
  if (unaskedHeld > 0)
    yield `  ${counted(unaskedHeld, "study")} sent unasked and held: see \`intake list --state held\``;
  if (dryRun || left.length === 0) return;
  yield "  left; `person`: somebody has to act there, `failed`: run it again";
  yield* alignedLines(
    left.map((each) => [
      ...[`  ${each.state}`, each.destination, each.pseudonym, each.pseudoStudyInstanceUid, each.code ?? ""],
    ]),
  );
}

function summaryOf({ dryRun, patients, withdrawnBefore, studies, done }: WithdrawalDocument): string {
  if (!dryRun)
    return `${counted(patients, "patient")} with ${counted(studies, "study")} withdrawn; of ${done} nothing is left anywhere`;
  if (withdrawnBefore === 0)
    return `${counted(patients, "patient")} with ${counted(studies, "study")} would be withdrawn`;
  const before = `${withdrawnBefore} of ${areCounted(patients, "patient")} withdrawn already`;
  if (done === patients) return `${before}; nothing of theirs is left anywhere, so nothing would be done`;
  return `${before}, and of ${done} nothing is left anywhere; the rest would be done, of ${counted(studies, "study")} in all`;
}

function waitingLine({ node, patients, seenAt }: WaitedFor, dryRun: boolean): string {
  const seen = seenAt === null ? "it is not at work" : `last seen ${seenAt}`;
  if (dryRun) return `  node ${node} may have images of ${counted(patients, "patient")} on its disk`;
  return `  waiting for node ${node} to remove what it has of ${counted(patients, "patient")} (${seen})`;
}

function givenUpLine({ node, patients }: GivenUpNode): string {
  return `  given up: the disk of ${node} was not cleared of what it may have of ${counted(patients, "patient")}`;
}
