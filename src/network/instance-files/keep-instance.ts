import type { MultipartPart } from "../multipart/reader.ts";
import type { InstanceStore } from "./incoming.ts";
import { type ExpectedInstance, type InstanceFacts, inspectInstance, mismatchOf } from "./inspect.ts";

export interface KeptInstance<T> {
  readonly facts: InstanceFacts;
  readonly kept: T;
}

/**
 * Takes an instance from its stream, walks it to its end, and keeps it when it is whole and what was asked for.
 * @throws GatewayError INSTANCE_UNREADABLE, INSTANCE_INCOMPLETE, INSTANCE_MISMATCH, and what store and stream throw
 */
export async function keepInstance<T>(
  part: Pick<MultipartPart, "pipe">,
  store: InstanceStore<T>,
  expected: ExpectedInstance,
  signal: AbortSignal,
): Promise<KeptInstance<T>> {
  const incoming = await store.begin();
  try {
    await part.pipe((pieces) => {
      signal.throwIfAborted();
      return incoming.write(pieces);
    });
    const facts = await inspectInstance(incoming.source(), signal);
    const mismatch = mismatchOf(facts, expected);
    if (mismatch !== undefined) throw mismatch;
    return { facts, kept: await incoming.keep(facts.sopInstanceUid) };
  } finally {
    await incoming.discard();
  }
}
