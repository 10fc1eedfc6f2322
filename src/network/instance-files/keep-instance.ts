import { GatewayError, toGatewayError } from "../../errors/gateway-error.ts";
import type { MultipartPart } from "../multipart/reader.ts";
import { type IncomingInstance, type InstanceStore, writeLent } from "./incoming.ts";
import { type ExpectedInstance, type InstanceFacts, inspectInstance, mismatchOf } from "./inspect.ts";
import { costsItselfAlone, InstanceError } from "./instance-error.ts";

export interface KeptInstance<T> {
  readonly facts: InstanceFacts;
  readonly kept: T;
}

type ComingPart = Pick<MultipartPart, "pipe">;

/**
 * Takes the instances of a stream, walks each to its end, and keeps those that are whole and what was asked for. While one is kept the
 * next one comes, and no more: the disk and the network work at the same time. An instance that is wrong by itself is given as its error.
 * @param open begins the stream; its signal aborts, too, when nobody wants more
 * @throws what store and stream throw
 */
export async function* keepInstances<T>(
  open: (signal: AbortSignal) => AsyncIterable<ComingPart>,
  store: InstanceStore<T>,
  expected: ExpectedInstance,
  signal: AbortSignal,
): AsyncGenerator<KeptInstance<T> | InstanceError, undefined> {
  const leaving = new AbortController();
  const coming = receiveInstances(open, store, AbortSignal.any([signal, leaving.signal]));
  let next = coming.next();
  try {
    for (let step = await next; step.done !== true; step = await next) {
      const incoming = step.value;
      next = coming.next();
      next.catch(() => undefined);
      yield await judged(incoming, expected, signal).catch((thrown: unknown) => {
        if (thrown instanceof InstanceError) return thrown;
        throw thrown;
      });
    }
  } finally {
    leaving.abort(new GatewayError("CANCELLED"));
    const ahead = await next.catch(() => undefined);
    if (ahead?.done === false) await ahead.value.discard();
    await coming.return(undefined);
  }
}

async function* receiveInstances<T>(
  open: (signal: AbortSignal) => AsyncIterable<ComingPart>,
  store: InstanceStore<T>,
  signal: AbortSignal,
): AsyncGenerator<IncomingInstance<T>, undefined> {
  for await (const part of open(signal)) {
    const incoming = await store.begin();
    try {
      await part.pipe((pieces) => {
        signal.throwIfAborted();
        return writeLent(incoming, pieces);
      });
    } catch (thrown) {
      await incoming.discard();
      throw thrown;
    }
    yield incoming;
  }
}

/** Keeps it when it is whole and what was asked for; else nothing of it is left. @throws InstanceError */
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
  } finally {
    await incoming.discard();
  }
}
