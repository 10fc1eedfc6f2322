import type { Command } from "commander";
import type { NodeDocument, NodeForgottenDocument } from "../../operations/nodes.ts";
import type { Cli } from "../cli.ts";
import { counted } from "../counted.ts";
import { EXIT, type ExitCode } from "../exit-codes.ts";
import { openGateway } from "../gateway-session.ts";
import { examples } from "../help.ts";
import { tableLines } from "../table.ts";

const LIST_HELP = `
A gateway that was silent for half a minute may be gone: others take its associations over then, and its studies a minute after it last
held them. With a store of its own a gateway is no part of a list.
`;

const FORGET_HELP = `
For a gateway that is gone for good, as its machine or its disk is. Nothing waits for it any longer: withdrawals go on without it and say that its
disk was not cleared; what it fetched is fetched again; what was sent to it unasked and lay on its disk alone ends with STUDY_LOST_WITH_NODE. It is
refused while the gateway gives signs of life. One that comes back all the same removes what was withdrawn before anything else, and what was
sent to it unasked is held for a person. It needs the role admin. Who did it, why and what was given up go to the audit trail, so write nothing
of a patient into the reason. See docs/several-gateways.md.
`;

export function addNodeVerbs(program: Command, cli: Cli): void {
  const node = program.command("node").description("gateways that share a database");
  node
    .command("list")
    .description("every gateway, what it does and when it was last heard of")
    .addHelpText("after", LIST_HELP + examples("node list"))
    .action(cli.verb(() => list(cli)));
  node
    .command("forget")
    .description("give up a gateway that is gone for good, with what lay on its disk alone")
    .argument("<name>")
    .requiredOption("--reason <text>", "why; it is kept for good")
    .addHelpText(
      "after",
      FORGET_HELP +
        examples(
          "node forget east --reason 'its machine burnt' --dry-run",
          "node forget east --reason 'its machine burnt'",
        ),
    )
    .action(cli.verb((name: string, { reason }: { readonly reason: string }) => forget(cli, name, reason)));
}

async function list(cli: Cli): Promise<ExitCode> {
  await using gateway = await openGateway(cli, "client");
  const nodes = await gateway.operations.listNodes();
  const header = ["NAME", "STATE", "ROLES", "ADDRESS", "VERSION", "STARTED", "SEEN"];
  await cli.printer.list(nodes, (all) => tableLines(header, rowsOf(all)), "this gateway shares its database with none");
  return EXIT.fine;
}

async function* rowsOf(nodes: AsyncIterable<NodeDocument>): AsyncGenerator<readonly string[]> {
  for await (const { name, state, roles, address, version, startedAt, seenAt } of nodes)
    yield [name, state, roles.join(" "), address ?? "", version, startedAt, seenAt];
}

async function forget(cli: Cli, name: string, reason: string): Promise<ExitCode> {
  await using gateway = await openGateway(cli, "client");
  const document = await gateway.operations.forgetNode(name, { reason });
  await cli.printer.document(document, () => forgottenLines(document));
  return EXIT.fine;
}

function* forgottenLines(document: NodeForgottenDocument): Generator<string> {
  const { node, withdrawals, withdrawalsEnded, studiesFreed, studiesSoughtAnew, studiesLost, heldLost } = document;
  yield `${node} is forgotten: its disk was not cleared`;
  if (withdrawals > 0)
    yield `  ${counted(withdrawals, "withdrawal")} waited for it, and for nothing else ${withdrawalsEnded} of them`;
  if (studiesFreed > 0) yield `  ${counted(studiesFreed, "study")} that it had fetched: others go on`;
  if (studiesSoughtAnew > 0)
    yield `  ${counted(studiesSoughtAnew, "study")} sent to it unasked: looked for in archives, as cohorts name them`;
  if (studiesLost > 0) yield `  ${counted(studiesLost, "study")} sent to it unasked: lost [STUDY_LOST_WITH_NODE]`;
  if (heldLost > 0) yield `  ${counted(heldLost, "study")} sent to it unasked and held for a person: lost`;
}
