import type { GatewayError } from "../../../errors/gateway-error.ts";
import type { Logger } from "../../../units/logger.ts";
import type { Broker } from "./broker.ts";
import { type ImagingQueue, PARKED_QUEUE } from "./queues.ts";

export interface ParkedMessage {
  readonly body: Uint8Array;
  readonly priority: number;
  /** Why it is parked. */
  readonly failure: GatewayError;
}

/**
 * Publishes a message to the parked queue, whose headers say why and where it came from; its body is untouched.
 * @throws GatewayError PIXL_BROKER_UNAVAILABLE, PIXL_BROKER_REFUSED
 */
export async function parkMessage(
  { broker, logger }: { readonly broker: Pick<Broker, "publish">; readonly logger: Logger },
  queue: ImagingQueue,
  { body, priority, failure }: ParkedMessage,
): Promise<void> {
  const { code, message, details } = failure;
  const facts = Object.entries(details).map(([name, value]) => [`radferry-${name}`, value] as const);
  const headers = { "radferry-code": code, "radferry-reason": message, "radferry-queue": queue };
  await broker.publish({
    queue: PARKED_QUEUE,
    body,
    priority,
    headers: { ...headers, ...Object.fromEntries(facts) },
  });
  logger.warn("message parked", { queue, code });
}
