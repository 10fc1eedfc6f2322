import {
  clearParked,
  type ParkedChoice,
  type ParkedMessage,
  parkedMessages,
} from "../../../compat/pixl/driver/parked.ts";
import { readDriverSettings } from "../../../compat/pixl/driver/settings.ts";
import { type Broker, openBroker } from "../../../compat/pixl/intake/broker.ts";
import type { Cli } from "../../cli.ts";
import { counted } from "../../counted.ts";
import { EXIT, type ExitCode } from "../../exit-codes.ts";
import { tableLines } from "../../table.ts";

async function open({ world }: Cli): Promise<Broker> {
  const { broker } = await readDriverSettings(world.environment, world.workingFolder);
  return openBroker(broker);
}

export async function listParkedVerb(cli: Cli, { bodies = false }: { readonly bodies?: boolean }): Promise<ExitCode> {
  await using broker = await open(cli);
  const parked = listed(parkedMessages(broker, cli.world.stop), bodies);
  await cli.printer.list(parked, (all) => tableLines(["CODE", "FIELD", "QUEUE", "PRIORITY", "BYTES"], rowsOf(all)));
  return EXIT.fine;
}

async function* listed(parked: AsyncIterable<ParkedMessage>, bodies: boolean): AsyncGenerator<ListedMessage> {
  for await (const { body, ...facts } of parked)
    yield { ...facts, sizeBytes: body.length, ...(bodies && { body: Buffer.from(body).toString("utf8") }) };
}

interface ListedMessage {
  readonly code: string;
  readonly field: string | undefined;
  readonly queue: string;
  readonly priority: number;
  readonly sizeBytes: number;
  readonly body?: string;
}

async function* rowsOf(parked: AsyncIterable<ListedMessage>): AsyncGenerator<readonly string[]> {
  for await (const { code, field = "", queue, priority, sizeBytes, body } of parked)
    yield [code, field, queue, `${priority}`, `${sizeBytes}`, ...(body === undefined ? [] : [body])];
}

export async function clearParkedVerb(cli: Cli, choice: ParkedChoice): Promise<ExitCode> {
  await using broker = await open(cli);
  const messages = await clearParked(broker, choice, cli.world.stop);
  const done = choice.to === "queues" ? "sent back to their queues" : "discarded";
  await cli.printer.document({ messages }, () => [`${counted(messages, "message")} ${done}`]);
  return EXIT.fine;
}
