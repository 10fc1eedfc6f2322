import { type Broker, type BrokerOptions, openBroker } from "../intake/broker.ts";
import { IMAGING_QUEUES, PRIORITIES, priorityOf } from "../intake/queues.ts";
import type { Message } from "../messages/message.ts";
import { serialise } from "../messages/serialise.ts";

export interface PublishOptions extends BrokerOptions {
  /** @default imaging-primary */
  readonly queue?: string;
  /** 1 to 5, 5 first. @default 1 */
  readonly priority?: number;
  readonly signal?: AbortSignal;
}

/**
 * Publishes messages as PIXL's command line does, but waits until the broker has confirmed each.
 * @returns how many
 * @throws GatewayError PIXL_BROKER_UNAVAILABLE, PIXL_BROKER_REFUSED: those before were published
 */
export async function publishMessages(messages: Iterable<Message>, options: PublishOptions = {}): Promise<number> {
  await using broker = openBroker(options);
  return await publishTo(broker, messages, options);
}

export async function publishTo(
  broker: Pick<Broker, "publish">,
  messages: Iterable<Message>,
  options: Pick<PublishOptions, "queue" | "priority" | "signal">,
): Promise<number> {
  const { queue = IMAGING_QUEUES[0], priority = PRIORITIES.lowest, signal } = options;
  let published = 0;
  for (const message of messages) {
    signal?.throwIfAborted();
    await broker.publish({ queue, body: serialise(message), priority: priorityOf(priority) });
    published += 1;
  }
  return published;
}
