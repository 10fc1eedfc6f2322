import type { Store } from "../store/store.ts";
import type { AuditTrail } from "../units/audit.ts";
import type { Clock } from "../units/clock.ts";

/** The audit trail that is kept in the store. */
export function createAuditTrail({
  store,
  clock,
}: {
  readonly store: Pick<Store, "appendAudit">;
  readonly clock: Pick<Clock, "nowMs">;
}): AuditTrail {
  return { record: (event) => store.appendAudit(event, clock.nowMs()) };
}
