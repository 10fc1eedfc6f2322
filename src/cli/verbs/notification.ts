import type { Command } from "commander";
import type { ChannelDocument } from "../../operations/notifications.ts";
import type { Cli } from "../cli.ts";
import { EXIT, type ExitCode } from "../exit-codes.ts";
import { openGateway } from "../gateway-session.ts";
import { examples } from "../help.ts";
import { tableLines } from "../table.ts";

const TEST_HELP = `
Sends one message at once and says whether the mail server or the webhook took it. What is waiting is left alone.
`;

export function addNotificationVerbs(program: Command, cli: Cli): void {
  const notification = program.command("notification").description("channels over which people are told what happens");
  notification
    .command("list")
    .description("every channel, and what waits for it")
    .addHelpText("after", examples("notification list"))
    .action(cli.verb(() => list(cli)));
  notification
    .command("test")
    .description("send a test message")
    .argument("<channel>", "its name in the settings")
    .addHelpText("after", TEST_HELP + examples("notification test operators"))
    .action(cli.verb((name: string) => test(cli, name)));
}

async function list(cli: Cli): Promise<ExitCode> {
  await using gateway = await openGateway(cli, "client");
  const channels = await gateway.operations.listChannels();
  const header = ["NAME", "KIND", "WAITING", "SINCE", "PROJECTS", "EVENTS"];
  await cli.printer.list(channels, (all) => tableLines(header, rowsOf(all)), "the settings name no channel");
  return EXIT.fine;
}

async function* rowsOf(channels: AsyncIterable<ChannelDocument>): AsyncGenerator<readonly string[]> {
  for await (const { name, kind, waiting, waitingSince, projects, events } of channels)
    yield [name, kind, String(waiting), waitingSince ?? "", projects?.join(" ") ?? "all", events.join(" ")];
}

async function test(cli: Cli, name: string): Promise<ExitCode> {
  await using gateway = await openGateway(cli, "client");
  const told = await gateway.operations.testChannel(name, { isRehearsal: cli.isRehearsal(), signal: cli.world.stop });
  await cli.printer.document(told, () => [
    cli.isRehearsal() ? `${name} would be sent a message` : `${name} took the message in ${told.milliseconds} ms`,
  ]);
  return EXIT.fine;
}
