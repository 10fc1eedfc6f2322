import { toGatewayError } from "../../errors/gateway-error.ts";
import type { ErrorCode } from "../../errors/registry.ts";
import type { RequestedAssociation } from "../../network/dimse/association.ts";
import type { Clock } from "../../units/clock.ts";

/** Long enough for the next question about the same study; an archive that is left alone has its association back. */
const KEEP_MS = 3_000;

/** What using an association comes to that the peer has ended meanwhile. */
const ENDED: ReadonlySet<ErrorCode> = new Set<ErrorCode>(["ASSOCIATION_ABORTED", "CONNECTION_FAILED"]);

/** Associations that stay open for a moment, as a study asks its archive four times. */
export interface KeptAssociations extends AsyncDisposable {
  /** Works over one of them, or over a new one. One that the peer ended while nobody used it is replaced, and the work done again. */
  use<T>(signal: AbortSignal, work: (association: RequestedAssociation) => Promise<T>): Promise<T>;
  /** Releases unused ones until at most `most` are left. */
  reduceTo(most: number): Promise<void>;
}

/** @param open a new one; the signal ends the opening, and not what is open */
export function keepAssociations(
  open: (signal: AbortSignal) => Promise<RequestedAssociation>,
  clock: Clock,
): KeptAssociations {
  const unused = new Set<RequestedAssociation>();
  const stop = new AbortController();

  const release = async (association: RequestedAssociation): Promise<void> => {
    if (unused.delete(association)) await association[Symbol.asyncDispose]();
  };
  const take = (): RequestedAssociation | undefined => {
    for (const association of unused) {
      unused.delete(association);
      if (association.isReusable) return association;
    }
    return undefined;
  };
  const keep = async (association: RequestedAssociation): Promise<void> => {
    if (stop.signal.aborted || !association.isReusable) return await association[Symbol.asyncDispose]();
    unused.add(association);
    const until = AbortSignal.any([stop.signal, association.ended]);
    void clock
      .sleep(KEEP_MS, until)
      .catch(() => undefined)
      .then(() => release(association));
  };

  return {
    async use(signal, work) {
      for (;;) {
        const kept = take();
        const association = kept ?? (await openUntil(open, signal));
        try {
          const result = await work(association);
          await keep(association);
          return result;
        } catch (thrown) {
          await association[Symbol.asyncDispose]();
          const isStale = kept !== undefined && ENDED.has(toGatewayError(thrown).code) && !signal.aborted;
          if (!isStale) throw thrown;
        }
      }
    },
    async reduceTo(most) {
      for (const association of [...unused].slice(Math.max(0, most))) await release(association);
    },
    async [Symbol.asyncDispose]() {
      stop.abort();
      await Promise.all([...unused].map(release));
    },
  };
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
