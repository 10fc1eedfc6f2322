import type { Store } from "./store.ts";

/** The store as one of several nodes has it: what it claims of tasks and messages is known as its own, and no other's is given back by it. */
export function leasesOf(store: Store, node: string): Store {
  return {
    ...store,
    claimTask: (kind, leaseMs, nowMs) => store.claimTask(kind, leaseMs, nowMs, node),
    releaseTasks: (kind, nowMs) => store.releaseTasks(kind, nowMs, node),
    claimInboxMessage: (queue, leaseMs, nowMs) => store.claimInboxMessage(queue, leaseMs, nowMs, node),
    releaseInboxMessages: (nowMs) => store.releaseInboxMessages(nowMs, node),
  };
}
