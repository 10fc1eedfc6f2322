import { GatewayError } from "../errors/gateway-error.ts";
import type { Store } from "../store/store.ts";
import type { Role } from "../units/actor.ts";
import type { AuditEvent } from "../units/audit.ts";
import { systemClock } from "../units/clock.ts";
import { seededRandom } from "../units/random.ts";
import type { OperationsContext } from "./context.ts";
import { createInquiries } from "./inquiries.ts";

const notThere = (): Promise<never> => Promise.reject(new GatewayError("INTERNAL", { why: "not in this test" }));

/** A context of somebody with a role. What the store is not given fails when it is asked; what is told goes to the list. */
export function contextOf(of: {
  readonly role: Role;
  readonly told: AuditEvent[];
  readonly store?: Partial<Store>;
}): OperationsContext {
  const store = new Proxy(of.store ?? {}, { get: (target, name) => Reflect.get(target, name) ?? notThere });
  const context: Omit<OperationsContext, "store" | "staging" | "ownAddress"> = {
    actor: { name: "sam", kind: "command line", role: of.role },
    audit: { record: async (event) => void of.told.push(event) },
    clock: { nowMs: () => 0, sleep: notThere },
    random: seededRandom(1),
    disk: { freeBytes: notThere },
    home: "/no/such/home",
    listen: async () => undefined,
    projects: new Map(),
    evidence: { keyFile: "/no/such/home/keys/evidence.pem", version: "1.2.3" },
    inspectors: new Map(),
    removals: new Map(),
    withdrawn: {
      keyFile: "/no/such/home/keys/withdrawn.key",
      nodes: async () => ["gateway"],
      soleNode: "gateway",
      removeLocalCopies: notThere,
    },
    inquiries: createInquiries({ clock: systemClock, random: seededRandom(1) }),
    archives: new Map(),
    destinations: new Map(),
    notifications: new Map(),
    checks: [],
    settings: {},
    scanFiles: { sumOf: notThere, lake: notThere },
  };
  const rest = { store, staging: { path: "/no/such/staging", reserveBytes: 0 }, ownAddress: {} };
  return { ...context, ...rest } as unknown as OperationsContext;
}
