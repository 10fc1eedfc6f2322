import type { Command } from "commander";
import type { DoctorDocument } from "../../operations/documents.ts";
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
  await using gateway = await openGateway(cli, "client");
  const document = await gateway.operations.doctor(cli.world.stop);
  await cli.printer.document(document, () => doctorLines(document));
  return document.ok ? EXIT.fine : EXIT.failed;
}

/** What people read of it. */
export function* doctorLines({ ok, checks, letters }: DoctorDocument): Generator<string> {
  for (const { check, ok: isFine, code, message, remedy } of checks) {
    yield isFine ? `ok    ${check}: ${message}` : `FAIL  ${check}: ${message} [${code}]`;
    if (!isFine && remedy !== undefined) yield `      What to do: ${remedy}`;
  }
  if (letters.length > 0) yield "";
  for (const { archive, line } of letters) {
    yield `For the administrator of ${archive}:`;
    yield `  ${line}`;
  }
  yield "";
  yield ok ? "Everything is in order." : "Something is not in order.";
}
