import type { Command } from "commander";
import type { DoctorCheck, DoctorDocument } from "../../operations/documents.ts";
import type { Cli } from "../cli.ts";
import { EXIT, type ExitCode } from "../exit-codes.ts";
import { openGateway } from "../gateway-session.ts";
import { examples } from "../help.ts";

const HELP = `
Moves no study, and makes no folder but home: one that a destination lacks is told. Prints the line that the administrator of each archive needs.
Exit code 1 when a check fails.
`;

export function addDoctorVerb(program: Command, cli: Cli): void {
  program
    .command("doctor")
    .description("check archives, listener, destinations, keys, disk and clock before studies move")
    .addHelpText("after", HELP + examples("doctor", "doctor --json"))
    .action(cli.verb(() => doctor(cli)));
}

async function doctor(cli: Cli): Promise<ExitCode> {
  const { printer, world } = cli;
  await using gateway = await openGateway(cli, "client");
  // People see each as it is made.
  const show = async (made: DoctorCheck): Promise<void> => {
    for (const line of checkLines(made)) await printer.text(`${line}\n`);
  };
  const document = await gateway.operations.doctor(world.stop, printer.json ? undefined : show);
  await printer.document(document, () => conclusionLines(document));
  return document.ok ? EXIT.fine : EXIT.failed;
}

/** What people read of it. */
export function* doctorLines(document: DoctorDocument): Generator<string> {
  for (const made of document.checks) yield* checkLines(made);
  yield* conclusionLines(document);
}

function* checkLines({ check, ok: isFine, code, message, remedy }: DoctorCheck): Generator<string> {
  yield isFine ? `ok    ${check}: ${message}` : `FAIL  ${check}: ${message} [${code}]`;
  if (!isFine && remedy !== undefined) yield `      What to do: ${remedy}`;
}

function* conclusionLines({ ok, letters }: DoctorDocument): Generator<string> {
  if (letters.length > 0) yield "";
  for (const { archive, line } of letters) {
    yield `For the administrator of ${archive}:`;
    yield `  ${line}`;
  }
  yield "";
  yield ok ? "Everything is in order." : "Something is not in order.";
}
