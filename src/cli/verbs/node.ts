import type { Command } from "commander";
import type { NodeDocument } from "../../operations/nodes.ts";
import type { Cli } from "../cli.ts";
import { EXIT, type ExitCode } from "../exit-codes.ts";
import { openGateway } from "../gateway-session.ts";
import { examples } from "../help.ts";
import { tableLines } from "../table.ts";

const LIST_HELP = `
A gateway that was silent for half a minute may be gone: others take its associations over then, and its studies a minute after it last
held them. With a store of its own a gateway is no part of a list.
`;

export function addNodeVerbs(program: Command, cli: Cli): void {
  const node = program.command("node").description("gateways that share a database");
  node
    .command("list")
    .description("every gateway, what it does and when it was last heard of")
    .addHelpText("after", LIST_HELP + examples("node list"))
    .action(cli.verb(() => list(cli)));
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
