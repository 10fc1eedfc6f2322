import { type Command, Option } from "commander";
import type { IntakeDecisionDocument, IntakeDocument } from "../../operations/intake.ts";
import type { Operations } from "../../operations/operations.ts";
import { INTAKE_STATES, type IntakeState } from "../../store/intake.ts";
import type { Cli } from "../cli.ts";
import { EXIT, type ExitCode } from "../exit-codes.ts";
import { openGateway } from "../gateway-session.ts";
import { examples } from "../help.ts";
import { tableLines } from "../table.ts";

const LIST_HELP = `
open: more of it may come; held: a person decides; given (--state queued): it is a study of the project, whose state stands behind it.
`;

const DISCARD_HELP = `
What was sent is removed within the hour, by the running service. The sender was told that it was taken: it will not send it again by itself.
`;

export function addIntakeVerbs(program: Command, cli: Cli): void {
  const intake = program.command("intake").description("studies that were sent to our listener unasked");
  intake
    .command("list")
    .description("what was sent, whose it is, and what is held")
    .addOption(new Option("--state <state>", "only these").choices(INTAKE_STATES))
    .addHelpText("after", LIST_HELP + examples("intake list --state held"))
    .action(cli.verb((options: { readonly state?: IntakeState }) => list(cli, options.state)));
  intake
    .command("assign")
    .description("give a held study to a project")
    .argument("<id>", "the study's id in the list")
    .requiredOption("--project <name>", "the project")
    .addHelpText("after", examples("intake assign intake-3k5wz0q8m1xd --project lung-ct"))
    .action(
      cli.verb((id: string, { project }: { readonly project: string }) =>
        decide(cli, (operations) => operations.assignIntake(id, project)),
      ),
    );
  intake
    .command("discard")
    .description("remove a held study")
    .argument("<id>", "the study's id in the list")
    .addHelpText("after", DISCARD_HELP + examples("intake discard intake-3k5wz0q8m1xd"))
    .action(cli.verb((id: string) => decide(cli, (operations) => operations.discardIntake(id))));
}

async function list(cli: Cli, state: IntakeState | undefined): Promise<ExitCode> {
  await using gateway = await openGateway(cli, "client");
  const studies = gateway.operations.listIntake({ state });
  const header = ["ID", "STATE", "PROJECT", "STUDY", "RULE", "FROM", "MODALITY", "INSTANCES", "SINCE", "WHY"];
  await cli.printer.list(studies, (all) => tableLines(header, rowsOf(all)), "no such study was sent here");
  return EXIT.fine;
}

/** A study that a project was given is that project's, and what became of it is told there. */
const STATE_WORDS: Readonly<Record<IntakeState, string>> = { open: "open", held: "held", queued: "given" };

async function* rowsOf(studies: AsyncIterable<IntakeDocument>): AsyncGenerator<readonly string[]> {
  for await (const document of studies) {
    const { id, state, project, study, studyState, rule, sender, modality, instances, expected, firstAt, code } =
      document;
    const count = expected === null || expected <= instances ? `${instances}` : `${instances} of ${expected}`;
    const became = study === null ? "" : `${study} (${studyState ?? "?"})`;
    yield [id, STATE_WORDS[state], project ?? "", became, rule ?? "", sender, modality, count, firstAt, code ?? ""];
  }
}

async function decide(cli: Cli, ask: (operations: Operations) => Promise<IntakeDecisionDocument>): Promise<ExitCode> {
  await using gateway = await openGateway(cli, "client");
  const decided = await ask(gateway.operations);
  const { id, decision, project } = decided;
  await cli.printer.document(decided, () => [`${id} is ${decision}${project === null ? "" : ` to ${project}`}`]);
  return EXIT.fine;
}
