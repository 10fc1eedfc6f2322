import { GatewayError } from "../errors/gateway-error.ts";
import type { Store } from "./store.ts";

/**
 * The store as one of several nodes has it: what it claims of tasks and messages is known as its own, and no other's is given back by it. What was
 * sent unasked to another node is not there: asking for it throws STUDY_ON_OTHER_NODE.
 */
export function leasesOf(store: Store, node: string): Store {
  return {
    ...store,
    claimTask: (kind, leaseMs, nowMs) => store.claimTask(kind, leaseMs, nowMs, node),
    releaseTasks: (kind, nowMs) => store.releaseTasks(kind, nowMs, node),
    claimInboxMessage: (queue, leaseMs, nowMs) => store.claimInboxMessage(queue, leaseMs, nowMs, node),
    releaseInboxMessages: (nowMs) => store.releaseInboxMessages(nowMs, node),
    addIntakeInstances: (instances, patience, nowMs) =>
      store.addIntakeInstances(
        instances.map((instance) => ({ ...instance, node })),
        patience,
        nowMs,
      ),
    forgetIntake: (lastBeforeMs) => store.forgetIntake(lastBeforeMs, node),
    async intakeContents(project, studyInstanceUid) {
      const other = await store.intakeNodeOf(studyInstanceUid);
      if (other !== undefined && other !== node)
        throw new GatewayError("STUDY_ON_OTHER_NODE", { node: other, untilMs: 0 });
      return await store.intakeContents(project, studyInstanceUid);
    },
  };
}
