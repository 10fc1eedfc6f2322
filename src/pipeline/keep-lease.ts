import { GatewayError, toGatewayError } from "../errors/gateway-error.ts";
import type { Lease } from "../store/records.ts";
import type { Store } from "../store/store.ts";
import type { Clock } from "../units/clock.ts";

/** How long a claim holds without being renewed. */
export const LEASE_MS = 60_000;
/** Often enough that a cancelled job stops soon. */
const RENEWAL_MS = 1_000;
/** A store that is away is waited for so long: well before another may have the job, its work ends. */
const PATIENCE_MS = LEASE_MS / 2;

export interface LeaseParts {
  readonly store: Pick<Store, "renew">;
  readonly clock: Clock;
}

/**
 * Renews the lease while the job runs. `lost` is aborted with LEASE_LOST when the job was cancelled or taken over, and with what the store says
 * when it could not be renewed for half of its time: a server that is started anew costs no retrieval.
 */
export function keepLease({ store, clock }: LeaseParts, lease: Lease, lost: AbortController): AsyncDisposable {
  const stop = new AbortController();
  const loop = async (): Promise<void> => {
    for (let renewedAtMs = clock.nowMs(); ; ) {
      await clock.sleep(RENEWAL_MS, stop.signal);
      const askedAtMs = clock.nowMs();
      try {
        if (!(await store.renew(lease, LEASE_MS, askedAtMs))) return lost.abort(new GatewayError("LEASE_LOST"));
        renewedAtMs = askedAtMs;
      } catch (thrown) {
        const mayPass = toGatewayError(thrown).class === "transient";
        if (!mayPass || clock.nowMs() - renewedAtMs >= PATIENCE_MS) throw thrown;
      }
    }
  };
  const running = loop().catch((thrown: unknown) => {
    if (!stop.signal.aborted) lost.abort(thrown);
  });
  return {
    async [Symbol.asyncDispose]() {
      stop.abort();
      await running;
    },
  };
}
