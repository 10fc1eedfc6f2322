import { toGatewayError } from "../../errors/gateway-error.ts";
import type { MultipartPart } from "../multipart/reader.ts";
import type { IncomingInstance, InstanceStore } from "./incoming.ts";
import { type ExpectedInstance, type InstanceFacts, inspectInstance, mismatchOf } from "./inspect.ts";
import { costsItselfAlone, InstanceError } from "./instance-error.ts";

export interface KeptInstance<T> {
  readonly facts: InstanceFacts;
  readonly kept: T;
}

/**
 * Takes an instance from its stream, walks it to its end, and keeps it when it is whole and what was asked for.
 * @throws InstanceError INSTANCE_UNREADABLE, INSTANCE_INCOMPLETE, INSTANCE_MISMATCH; what store and stream throw
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
    return await judged(incoming, expected, signal);
  } finally {
    await incoming.discard();
  }
}

async function judged<T>(
  incoming: IncomingInstance<T>,
  expected: ExpectedInstance,
  signal: AbortSignal,
): Promise<KeptInstance<T>> {
  const { sopInstanceUid: asked } = expected;
  let concerned = asked === undefined ? [] : [asked];
  try {
    const facts = await inspectInstance(incoming.source(), signal);
    concerned = [facts.sopInstanceUid, ...concerned.filter((uid) => uid !== facts.sopInstanceUid)];
    const mismatch = mismatchOf(facts, expected);
    if (mismatch !== undefined) throw mismatch;
    return { facts, kept: await incoming.keep(facts.sopInstanceUid) };
  } catch (thrown) {
    throw costsItselfAlone(thrown) ? new InstanceError(toGatewayError(thrown), concerned) : thrown;
  }
}
