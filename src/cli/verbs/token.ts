import { type Command, InvalidArgumentError, Option } from "commander";
import type { NewTokenDocument, TokenDocument } from "../../operations/documents.ts";
import { ROLES, type Role } from "../../units/actor.ts";
import type { Cli } from "../cli.ts";
import { EXIT, type ExitCode } from "../exit-codes.ts";
import { openGateway } from "../gateway-session.ts";
import { examples } from "../help.ts";
import { tableLines } from "../table.ts";

const USUAL_DAYS = 90;
const MOST_DAYS = 3_650;

const CREATE_HELP = `
The token is printed this once; only a digest of it is kept. Its name stands in the audit trail for whoever uses it.
Viewers see states and counts; operators hand cohorts in, retry, cancel and pause; admins release, read the audit trail and give tokens.
`;

interface CreateOptions {
  readonly role: Role;
  readonly project?: readonly string[];
  readonly days: number;
}

export function addTokenVerbs(program: Command, cli: Cli): void {
  const token = program.command("token").description("who may use the API and the dashboard");
  token
    .command("create")
    .description("give somebody a token")
    .argument("<name>", "whose it is", nameArgument)
    .addOption(new Option("--role <role>", "what he may do").choices(ROLES).makeOptionMandatory())
    .option("--project <name...>", "only these projects; every one unless told")
    .option("--days <n>", `how long it is good, up to ${MOST_DAYS}`, daysOption, USUAL_DAYS)
    .addHelpText(
      "after",
      CREATE_HELP +
        examples("token create nightly-script --role operator", "token create pat --role viewer --project lung-ct"),
    )
    .action(cli.verb((name: string, options: CreateOptions) => create(cli, name, options)));
  token
    .command("list")
    .description("every token there was")
    .addHelpText("after", examples("token list"))
    .action(cli.verb(() => list(cli)));
  token
    .command("revoke")
    .description("end a token, and every session that was begun with it")
    .argument("<token>", "its id, or the name")
    .addHelpText("after", examples("token revoke nightly-script"))
    .action(cli.verb((which: string) => revoke(cli, which)));
}

function nameArgument(text: string): string {
  if (/^[A-Za-z0-9][A-Za-z0-9._@-]{0,63}$/.test(text)) return text;
  throw new InvalidArgumentError("Write 1 to 64 letters, digits, dots, hyphens, underscores and @.");
}

function daysOption(text: string): number {
  const days = /^\d{1,4}$/.test(text) ? Number(text) : 0;
  if (days >= 1 && days <= MOST_DAYS) return days;
  throw new InvalidArgumentError(`Write a whole number from 1 to ${MOST_DAYS}.`);
}

async function create(cli: Cli, name: string, { role, project, days }: CreateOptions): Promise<ExitCode> {
  await using gateway = await openGateway(cli, "client");
  const made = await gateway.operations.createToken({ name, role, projects: project, days });
  await cli.printer.document(made, () => createdLines(made));
  return EXIT.fine;
}

function* createdLines({ token, name, role, expiresAt }: NewTokenDocument): Generator<string> {
  yield token;
  yield `for ${name}, as ${role}, until ${expiresAt}; it is not shown again`;
}

async function list(cli: Cli): Promise<ExitCode> {
  await using gateway = await openGateway(cli, "client");
  const tokens = await gateway.operations.listTokens();
  const header = ["ID", "NAME", "ROLE", "STATE", "EXPIRES", "PROJECTS"];
  await cli.printer.list(tokens, (all) => tableLines(header, rowsOf(all)), "nobody has a token");
  return EXIT.fine;
}

async function* rowsOf(tokens: AsyncIterable<TokenDocument>): AsyncGenerator<readonly string[]> {
  for await (const { id, name, role, state, expiresAt, projects } of tokens)
    yield [id, name, role, state, expiresAt, projects?.join(" ") ?? "all"];
}

async function revoke(cli: Cli, which: string): Promise<ExitCode> {
  await using gateway = await openGateway(cli, "client");
  const token = await gateway.operations.revokeToken(which);
  await cli.printer.document(token, () => [`${token.name} is revoked`]);
  return EXIT.fine;
}
