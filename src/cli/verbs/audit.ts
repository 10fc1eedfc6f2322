import { type Command, InvalidArgumentError } from "commander";
import type { AuditRecordDocument, AuditVerdictDocument } from "../../operations/documents.ts";
import type { Cli } from "../cli.ts";
import { counted } from "../counted.ts";
import { EXIT, type ExitCode } from "../exit-codes.ts";
import { factsText } from "../fact-text.ts";
import { openGateway } from "../gateway-session.ts";
import { examples } from "../help.ts";
import { tableLines } from "../table.ts";

const USUAL_RECORDS = 50;
const MOST_RECORDS = 10_000;

const VERIFY_HELP = `
Finds records that were changed, removed or put into another order, and an end that was cut off: how far the trail goes is also kept in a
row of its own and in a file beside the database. It cannot see a trail that was written anew together with both; --noted can: write down
number and hash elsewhere from time to time, and give them here. Exit code 1 when something is found.
`;

export function addAuditVerbs(program: Command, cli: Cli): void {
  const audit = program.command("audit").description("who did what: the trail that is only ever added to");
  audit
    .command("tail")
    .description("the last records; to read them is written down too")
    .option("-n, --number <n>", `how many, up to ${MOST_RECORDS}`, countOption, USUAL_RECORDS)
    .addHelpText("after", examples("audit tail", "audit tail -n 500 --json"))
    .action(cli.verb((options: { readonly number: number }) => tail(cli, options.number)));
  audit
    .command("verify")
    .description("check that the trail is as it was written")
    .option("--noted <number:hash>", "a record's number and hash as they were once", notedOption)
    .addHelpText("after", VERIFY_HELP + examples("audit verify", "audit verify --noted 4711:HASH"))
    .action(cli.verb((options: { readonly noted?: Noted }) => verify(cli, options.noted)));
}

interface Noted {
  readonly count: number;
  readonly hash: string;
}

function countOption(text: string): number {
  const number = /^\d{1,5}$/.test(text) ? Number(text) : 0;
  if (number < 1 || number > MOST_RECORDS)
    throw new InvalidArgumentError(`Write a whole number from 1 to ${MOST_RECORDS}.`);
  return number;
}

function notedOption(text: string): Noted {
  const { count, hash } = /^(?<count>\d{1,15}):(?<hash>[0-9a-f]{64})$/.exec(text)?.groups ?? {};
  if (count === undefined || hash === undefined)
    throw new InvalidArgumentError("Write the record's number, a colon, and its hash of 64 hexadecimal digits.");
  return { count: Number(count), hash };
}

async function tail(cli: Cli, limit: number): Promise<ExitCode> {
  await using gateway = await openGateway(cli, "client");
  const records = await gateway.operations.readAudit({ limit });
  const header = ["NUMBER", "AT", "EVENT", "BY", "OUTCOME", "STUDY", "PROJECT", "DETAIL"];
  await cli.printer.list(records, (all) => tableLines(header, auditTable(all)));
  return EXIT.fine;
}

async function* auditTable(records: AsyncIterable<AuditRecordDocument>): AsyncGenerator<readonly string[]> {
  for await (const { number, at, event, actor, outcome, job, project, detail } of records) {
    const by = `${actor.name} (${actor.kind}${actor.role === undefined ? "" : `, ${actor.role}`})`;
    yield [`${number}`, at, event, by, outcome, job ?? "", project ?? "", factsText(detail ?? {})];
  }
}

async function verify(cli: Cli, noted: Noted | undefined): Promise<ExitCode> {
  await using gateway = await openGateway(cli, "client");
  const verdict = await gateway.operations.verifyAudit(noted);
  const code = verdict.ok ? {} : { code: "AUDIT_TRAIL_BROKEN" };
  await cli.printer.document({ ...verdict, ...code }, () => verdictLines(verdict));
  return verdict.ok ? EXIT.fine : EXIT.failed;
}

function* verdictLines({ ok, records, head, findings }: AuditVerdictDocument): Generator<string> {
  yield ok
    ? `the trail is whole: ${counted(records, "record")}`
    : `the trail is not as it was written: ${counted(records, "record")} [AUDIT_TRAIL_BROKEN]`;
  for (const { number, problem, where } of findings)
    yield `  record ${number}: ${problem}${where === undefined ? "" : `, says the ${WITNESSES[where]}`}`;
  yield `note elsewhere: ${records}:${head}`;
}

const WITNESSES = {
  row: "row that keeps the end",
  file: "file that keeps the end",
  given: "noted record",
} as const;
