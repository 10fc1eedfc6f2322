import type { ClaimedJob, Lease } from "../../src/store/records.ts";
import type { Store } from "../../src/store/store.ts";
import { Violation } from "./invariants.ts";
import type { StoreCall } from "./simulated-store.ts";

/** Who holds which job, as the database was told; what was taken from others is a violation. */
export interface LeasesWatch {
  /** @returns the job that a call was about, where the lease was its own */
  onStoreCall(call: StoreCall): string | undefined;
  /** @throws Violation */
  check(): void;
}

interface Holder {
  readonly token: string;
  readonly untilMs: number;
}

/** Methods whose first argument is a lease and which answer whether it was still the job's. */
const LEASED: ReadonlySet<string> = new Set(["renew", "change", "settle", "recordDelivery", "located"]);

export function watchLeases(): LeasesWatch {
  const holders = new Map<string, Holder>();
  let failure: Violation | undefined;
  const fail = (what: string): void => {
    failure ??= new Violation("one holder", what);
  };

  function noteClaim(claimed: ClaimedJob | undefined, [, leaseMs, nowMs]: readonly unknown[], node: string): void {
    // Who claims ends what is over by then, whoever is given it.
    for (const [jobId, { untilMs }] of holders) if (untilMs <= Number(nowMs)) holders.delete(jobId);
    if (claimed === undefined) return;
    const { jobId, token } = claimed.lease;
    if (holders.has(jobId)) fail(`${node} was given a job whose lease had not ended`);
    holders.set(jobId, { token, untilMs: Number(nowMs) + Number(leaseMs) });
  }

  function noteLeased({ method, args, value, node }: StoreCall): string | undefined {
    if (value === false) return undefined;
    const { jobId, token } = args[0] as Lease;
    const holder = holders.get(jobId);
    if (holder !== undefined && holder.token !== token)
      fail(`${method} was taken from ${node}, whose lease had gone to another`);
    const [, leaseMs, nowMs] = args;
    if (method === "renew") holders.set(jobId, { token, untilMs: Number(nowMs) + Number(leaseMs) });
    if (method === "settle") holders.delete(jobId);
    return jobId;
  }

  /** Two calls in one transaction. */
  function noteSettleAndClaim({ args, value, node }: StoreCall): string | undefined {
    const [lease, outcome, { worker, leaseMs }, nowMs] = args as Parameters<Store["settleAndClaim"]>;
    const { isSettled, claimed } = value as Awaited<ReturnType<Store["settleAndClaim"]>>;
    const jobId = noteLeased({ method: "settle", args: [lease, outcome, nowMs], value: isSettled, node });
    noteClaim(claimed, [worker, leaseMs, nowMs], node);
    return jobId;
  }

  return {
    onStoreCall(call) {
      const { method, args, value, node } = call;
      if (method === "settleAndClaim") return noteSettleAndClaim(call);
      if (method === "claim") noteClaim(value as ClaimedJob | undefined, args, node);
      if (method === "releaseLeases" || method === "cancelJobs") holders.clear();
      return LEASED.has(method) ? noteLeased(call) : undefined;
    },
    check() {
      if (failure !== undefined) throw failure;
    },
  };
}
