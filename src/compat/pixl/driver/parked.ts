import type { Broker, HeldMessage } from "../intake/broker.ts";
import { IMAGING_QUEUES, PARKED_QUEUE } from "../intake/queues.ts";

/** A message that could not be worked off. */
export interface ParkedMessage {
  readonly code: string;
  readonly reason: string;
  /** Which field of it is wrong, where one is. */
  readonly field: string | undefined;
  /** Where it came from. */
  readonly queue: string;
  readonly priority: number;
  /** Identifiable. */
  readonly body: Uint8Array;
}

type ParkedBroker = Pick<Broker, "look" | "publish">;

/** All of them, the most urgent first. They stay where they are. @throws GatewayError PIXL_BROKER_UNAVAILABLE, PIXL_BROKER_REFUSED; the signal's reason */
export async function* parkedMessages(broker: ParkedBroker, signal: AbortSignal): AsyncGenerator<ParkedMessage> {
  await using look = await broker.look(PARKED_QUEUE);
  for await (const message of look.messages()) {
    signal.throwIfAborted();
    yield parkedMessage(message);
  }
}

export interface ParkedChoice {
  /** Undefined: whatever the reason. */
  readonly code?: string | undefined;
  /** Back to the queues they came from, or away for good. */
  readonly to: "queues" | "nowhere";
}

/** Each is confirmed where it goes before it leaves the parked queue: whatever happens, none is lost. @returns how many @throws as `parkedMessages` */
export async function clearParked(
  broker: ParkedBroker,
  { code, to }: ParkedChoice,
  signal: AbortSignal,
): Promise<number> {
  await using look = await broker.look(PARKED_QUEUE);
  let cleared = 0;
  for await (const message of look.messages()) {
    signal.throwIfAborted();
    const parked = parkedMessage(message);
    if (code !== undefined && parked.code !== code) continue;
    const { queue, body, priority } = parked;
    if (to === "queues") await broker.publish({ queue, body, priority });
    look.remove(message);
    cleared += 1;
  }
  return cleared;
}

function parkedMessage({ headers, body, priority }: HeldMessage): ParkedMessage {
  const text = (name: string): string | undefined => {
    const value = headers[`radferry-${name}`];
    return typeof value === "string" ? value : undefined;
  };
  const [primary] = IMAGING_QUEUES;
  const queue = IMAGING_QUEUES.find((name) => name === text("queue")) ?? primary;
  return { code: text("code") ?? "", reason: text("reason") ?? "", field: text("field"), queue, priority, body };
}
