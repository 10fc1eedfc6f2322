import { toGatewayError } from "../../errors/gateway-error.ts";
import type { RequestedAssociation } from "../../network/dimse/association.ts";
import { abortAfter } from "../../units/abort.ts";
import type { Clock } from "../../units/clock.ts";

/** Long enough for a study's next question, and for the next study's; an archive that is left alone has its association back. */
const KEEP_MS = 3_000;
/** Certificates and passwords are asked for anew with the next one; archives do leak what belongs to an association. */
const KEEP_AT_MOST_MS = 60_000;
/** An archive that does not answer a release keeps nobody waiting. */
const RELEASE_MS = 1_000;

/** Associations that stay open for a moment, as a study asks its archive several times, and many studies are asked for in a row. */
export interface KeptAssociations extends AsyncDisposable {
  /** Open, and used by nobody. */
  readonly unused: number;
  /** Works over one of them, or over a new one. One that the peer ended before it answered anything is replaced by a new one, and the work done again. */
  use<T>(signal: AbortSignal, work: (association: RequestedAssociation) => Promise<T>): Promise<T>;
  /** Releases unused ones until at most `most` are left. */
  reduceTo(most: number): Promise<void>;
}

interface Kept {
  readonly association: RequestedAssociation;
  readonly openedAtMs: number;
}

/**
 * Disposing ends at once what nobody uses, and what is in use when it is given back.
 * @param open a new one; the signal ends the opening, and not what is open
 */
export function keepAssociations(
  open: (signal: AbortSignal) => Promise<RequestedAssociation>,
  clock: Clock,
): KeptAssociations {
  const unused = new Map<RequestedAssociation, Kept>();
  const stop = new AbortController();

  const take = (): Kept | undefined => {
    // The one that was used last is the likeliest to be there still.
    for (const kept of [...unused.values()].reverse()) {
      unused.delete(kept.association);
      if (kept.association.isReusable) return kept;
    }
    return undefined;
  };
  const openNew = async (signal: AbortSignal): Promise<Kept> => ({
    association: await openUntil(open, signal),
    openedAtMs: clock.nowMs(),
  });
  const giveBack = async ({ association, openedAtMs }: Kept): Promise<void> => {
    const isOld = clock.nowMs() - openedAtMs >= KEEP_AT_MOST_MS;
    if (stop.signal.aborted || isOld || !association.isReusable) return await leave(association);
    const kept = { association, openedAtMs };
    unused.set(association, kept);
    void releaseUnused(kept);
  };
  const releaseUnused = async (kept: Kept): Promise<void> => {
    const { association } = kept;
    const until = AbortSignal.any([stop.signal, association.ended]);
    await clock.sleep(KEEP_MS, until).catch(() => undefined);
    // It may have been used and given back meanwhile: who gave it back waits anew.
    if (unused.get(association) !== kept) return;
    unused.delete(association);
    await leave(association);
  };

  return {
    get unused() {
      return unused.size;
    },
    async use(signal, work) {
      const before = take();
      if (before !== undefined) {
        const heard = before.association.messagesHeard;
        try {
          return await workOver(before, work, giveBack);
        } catch (thrown) {
          if (signal.aborted || !isStale(before.association, heard, thrown)) throw thrown;
        }
      }
      return await workOver(await openNew(signal), work, giveBack);
    },
    async reduceTo(most) {
      const leaving = [...unused.keys()].slice(0, Math.max(0, unused.size - Math.max(0, most)));
      for (const association of leaving) unused.delete(association);
      await Promise.all(leaving.map(leave));
    },
    async [Symbol.asyncDispose]() {
      stop.abort();
      const leaving = [...unused.keys()];
      unused.clear();
      for (const association of leaving) association.abandon();
    },
  };
}

/** The peer ended it before it answered. */
function isStale({ messagesHeard }: RequestedAssociation, heard: number, thrown: unknown): boolean {
  return messagesHeard === heard && toGatewayError(thrown).code === "ASSOCIATION_ABORTED";
}

/** What failed is not used again: nobody knows what is still to come over it. */
async function workOver<T>(
  kept: Kept,
  work: (association: RequestedAssociation) => Promise<T>,
  giveBack: (kept: Kept) => Promise<void>,
): Promise<T> {
  try {
    const result = await work(kept.association);
    await giveBack(kept);
    return result;
  } catch (thrown) {
    await leave(kept.association);
    throw thrown;
  }
}

/** Ends it in order; where the archive does not answer, without its answer. */
export async function leave(association: RequestedAssociation): Promise<void> {
  using limit = abortAfter(RELEASE_MS);
  limit.addEventListener("abort", () => association.abandon(), { once: true });
  await association[Symbol.asyncDispose]();
}

/** The signal of whoever needed it first must not end it for who uses it next. */
async function openUntil(
  open: (signal: AbortSignal) => Promise<RequestedAssociation>,
  signal: AbortSignal,
): Promise<RequestedAssociation> {
  signal.throwIfAborted();
  const opening = new AbortController();
  const abort = (): void => opening.abort(signal.reason);
  signal.addEventListener("abort", abort, { once: true });
  try {
    return await open(opening.signal);
  } finally {
    signal.removeEventListener("abort", abort);
  }
}
