import { GatewayError } from "../../../errors/gateway-error.ts";
import type { InboxLease, InboxStore } from "../../../store/inbox.ts";
import type { Clock } from "../../../units/clock.ts";

/** A claim on a message that is kept as long as it is worked on. */
export interface HeldLease extends AsyncDisposable {
  /** Aborted when the work is to end: from without, or because another has the message. */
  readonly signal: AbortSignal;
  readonly isLost: boolean;
  /** Renews it now, and writes down how far the work came. @throws GatewayError LEASE_LOST */
  renew(progress: string): Promise<void>;
}

export interface LeaseOptions {
  readonly store: Pick<InboxStore, "renewInboxMessage">;
  readonly clock: Clock;
  readonly leaseMs: number;
}

export function holdLease(lease: InboxLease, options: LeaseOptions, stop: AbortSignal): HeldLease {
  const { store, clock, leaseMs } = options;
  const lost = new AbortController();
  const over = new AbortController();
  const renew = async (progress?: string): Promise<void> => {
    if (await store.renewInboxMessage(lease, leaseMs, clock.nowMs(), progress)) return;
    lost.abort(new GatewayError("LEASE_LOST"));
    throw lost.signal.reason;
  };
  const keep = async (): Promise<void> => {
    while (!over.signal.aborted && !lost.signal.aborted) {
      await clock.sleep(leaseMs / 3, over.signal).catch(() => undefined);
      // A store that is away for a moment may be back before the lease ends.
      if (!over.signal.aborted) await renew().catch(() => undefined);
    }
  };
  const keeping = keep();
  return {
    signal: AbortSignal.any([stop, lost.signal]),
    get isLost() {
      return lost.signal.aborted;
    },
    renew,
    async [Symbol.asyncDispose]() {
      over.abort();
      await keeping;
    },
  };
}
