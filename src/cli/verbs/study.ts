import { type Command, Option } from "commander";
import type { ErrorCode } from "../../errors/registry.ts";
import type { InstanceDocument, StudyDocument } from "../../operations/documents.ts";
import { JOB_STATES, type JobState } from "../../store/job-states.ts";
import type { Cli } from "../cli.ts";
import { counted } from "../counted.ts";
import { EXIT, type ExitCode } from "../exit-codes.ts";
import { factsText } from "../fact-text.ts";
import { openGateway } from "../gateway-session.ts";
import { examples } from "../help.ts";
import { collect, errorCodeOption } from "../option-parsers.ts";
import { alignedLines, tableLines } from "../table.ts";
import { listFailures, type RetryOptions, retry } from "./study-failures.ts";
import { addPriorityVerb } from "./study-priority.ts";
import { type ReleaseOptions, releaseStudy } from "./study-release.ts";
import { kindsText, showReport } from "./study-report.ts";

const RELEASE_HELP = `
A quarantined study is de-identified and verified again; nothing is skipped. --leave-out takes an instance's number of \`study show\`, or its new
SOP Instance UID; what was left out still tells what must not be found in the others. --allow-tag takes a keyword, (gggg,eeee), or a path of them
as the reason shows it: an identifier that is found there does not hold the study back. What else is wrong quarantines it again.
It needs the role admin. Who did it, why, and the exceptions go to the audit trail, so write nothing of the patient into the reason.
The work is done by the running service, or by the next one that is started.
`;

export function addStudyVerbs(program: Command, cli: Cli): void {
  const study = program.command("study").description("single studies: what became of them and why");
  study
    .command("list")
    .description("studies, newest cohorts and old ones alike")
    .addOption(new Option("--state <state>", "only those in this state").choices(Object.keys(JOB_STATES)))
    .option("--cohort <id>", "only those of this cohort")
    .option("--project <name>", "only those of this project")
    .option("--code <code>", "only those that ended or wait with this code", errorCodeOption)
    .addHelpText(
      "after",
      examples("study list --state failed", "study list --code STUDY_NOT_FOUND", "study list --cohort ID --json"),
    )
    .action(cli.verb((options: ListOptions) => list(cli, options)));
  study
    .command("show")
    .description("one study with its history, deliveries and reasons")
    .argument("<id>")
    .addHelpText("after", examples("study show ID"))
    .action(cli.verb((id: string) => show(cli, id)));
  study
    .command("retry")
    .description(
      "queue a study again that failed, was not found, kept back or cancelled; or all that ended with a code",
    )
    .argument("[id]")
    .option("--code <code>", "instead of one study: every one that ended with this code", errorCodeOption)
    .option("--project <name>", "of them, only those of this project")
    .option("--cohort <id>", "of them, only those of this cohort")
    .addHelpText("after", examples("study retry ID", "study retry --code STUDY_NOT_FOUND --project lung-ct"))
    .action(cli.verb((id: string | undefined, options: RetryOptions) => retry(cli, id, options)));
  study
    .command("failures")
    .description("what went wrong, counted by code, with what to do")
    .option("--project <name>", "only in this project")
    .addHelpText("after", examples("study failures", "study failures --project lung-ct --json"))
    .action(cli.verb((options: { readonly project?: string }) => listFailures(cli, options)));
  study
    .command("report")
    .description("what de-identification removed from a study and replaced in it")
    .argument("<id>")
    .addHelpText("after", examples("study report ID"))
    .action(cli.verb((id: string) => showReport(cli, id)));
  study
    .command("release")
    .description("let a quarantined study go with named exceptions")
    .argument("<id>")
    .requiredOption("--reason <text>", "why; it is kept for good")
    .option("--leave-out <instance>", "leave this instance behind; may be given several times", collect)
    .option("--leave-out-rejected", "leave behind every instance that was rejected")
    .option("--allow-tag <tag>", "let an identifier stand in this tag; may be given several times", collect)
    .addHelpText(
      "after",
      RELEASE_HELP +
        examples(
          "study release ID --leave-out-rejected --reason 'screen shots are not needed'",
          "study release ID --allow-tag ManufacturerModelName --reason 'the model is named like a physician'",
        ),
    )
    .action(cli.verb((id: string, options: ReleaseOptions) => releaseStudy(cli, id, options)));
  study
    .command("cancel")
    .description("cancel a study that is not done yet")
    .argument("<id>")
    .addHelpText("after", examples("study cancel ID"))
    .action(cli.verb((id: string) => cancel(cli, id)));
  addPriorityVerb(study, cli);
}

interface ListOptions {
  readonly state?: JobState;
  readonly cohort?: string;
  readonly project?: string;
  readonly code?: ErrorCode;
}

async function list(cli: Cli, options: ListOptions): Promise<ExitCode> {
  await using gateway = await openGateway(cli, "client");
  const header = ["STUDY", "PROJECT", "STATE", "INSTANCES", "CODE", "PSEUDONYM"];
  await cli.printer.list(
    gateway.operations.listStudies(options),
    (studies) => tableLines(header, studyTable(studies)),
    "no such study",
  );
  return EXIT.fine;
}

async function* studyTable(studies: AsyncIterable<StudyDocument>): AsyncGenerator<readonly string[]> {
  for await (const study of studies) {
    const { id, project, delivered, expected, code, pseudonym } = study;
    yield [id, project, stateText(study), `${delivered}/${expected ?? "?"}`, code ?? "", pseudonym ?? ""];
  }
}

function stateText({ state, stage }: StudyDocument): string {
  return state === "running" ? `running (${stage})` : state;
}

async function show(cli: Cli, id: string): Promise<ExitCode> {
  await using gateway = await openGateway(cli, "client");
  const study = await gateway.operations.showStudy(id);
  await cli.printer.document(study, () => showLines(study));
  return EXIT.fine;
}

function* showLines(study: StudyDocument): Generator<string> {
  const { expected, received, excluded, delivered } = study;
  yield* alignedLines([
    ["study", study.id],
    ["project", study.project],
    ["cohorts", study.cohorts.join(", ")],
    ["state", stateText(study)],
    ["verdict", study.verdict ?? "not known yet"],
    ["instances", `${expected ?? "?"} listed, ${received} received, ${excluded} left out, ${delivered} delivered`],
    ["priority", `${study.priority}`],
    ["tries", `${study.attempts}`],
    ["archive", study.archive ?? "-"],
    ["pseudonym", study.pseudonym ?? "-"],
    ["study UID, new", study.pseudoStudyInstanceUid ?? "-"],
    ...(study.waitingUntil === undefined ? [] : [["next try", study.waitingUntil]]),
    ...(study.finishedAt === undefined ? [] : [["finished", study.finishedAt]]),
  ]);
  if (study.code !== undefined) {
    yield `${study.message} [${study.code}]`;
    yield `What to do: ${study.remedy}`;
  }
  yield* section(
    "left out:",
    Object.entries(study.exclusions ?? {}).map(([reason, count]) => [`  ${reason}`, `${count}`]),
  );
  yield* section(
    "what they are, by the last de-identification:",
    (study.stayedBehind ?? [])
      .map((each) => [`  ${each.code}`, each.reason, kindsText(each)])
      .filter(([, , text]) => text !== ""),
  );
  yield* section("instances held back:", instanceRows(study.instances ?? []));
  if (study.release !== undefined) {
    const { at, by, reason, leftOut, allowedTags } = study.release;
    yield `released ${at} by ${by}: ${reason}`;
    yield `  ${counted(leftOut, "instance")} left out; allowed: ${allowedTags.join(", ") || "no tag"}`;
  }
  yield* section(
    "deliveries:",
    (study.deliveries ?? []).map(({ destination, state, instances, code, at }) => [
      `  ${destination}`,
      state,
      counted(instances, "instance"),
      code ?? "",
      at,
    ]),
  );
  yield* section(
    "history:",
    study.events.map(({ at, event, detail }) => [`  ${at}`, event, factsText(detail)]),
  );
}

/** More are told by their number; `--json` has them all. */
const SHOWN_INSTANCES = 40;

function instanceRows(instances: readonly InstanceDocument[]): readonly (readonly string[])[] {
  const rejected = instances.filter(({ state }) => state === "rejected");
  const rows = rejected
    .slice(0, SHOWN_INSTANCES)
    .map(({ number, series, code, reason }) => [`  ${number}`, `series ${series}`, code ?? "", reason ?? ""]);
  return rejected.length > SHOWN_INSTANCES ? [...rows, [`  and ${rejected.length - SHOWN_INSTANCES} more`]] : rows;
}

function* section(title: string, rows: readonly (readonly string[])[]): Generator<string> {
  if (rows.length === 0) return;
  yield title;
  yield* alignedLines(rows);
}

async function cancel(cli: Cli, id: string): Promise<ExitCode> {
  await using gateway = await openGateway(cli, "client");
  const { cancelled } = await gateway.operations.cancelStudy(id);
  const line = cancelled === 0 ? "nothing to cancel: the study is done" : "the study is cancelled";
  await cli.printer.document({ id, cancelled }, () => [line]);
  return EXIT.fine;
}
