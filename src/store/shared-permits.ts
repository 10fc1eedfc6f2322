import { createHash } from "node:crypto";
import { GatewayError } from "../errors/gateway-error.ts";
import type { Clock } from "../units/clock.ts";
import type { Random } from "../units/random.ts";
import type { NodeStore } from "./nodes.ts";

/** How long a permit holds without being renewed: until then others wait for a node that died. */
export const PERMIT_LEASE_MS = 30_000;

/** Who waits for a permit looks again after this, then twice as long, up to the longest; each time by chance somewhat sooner. */
const FIRST_LOOK_MS = 25;
const LONGEST_LOOK_MS = 400;

/** Leave that is held until it is given back, or its node dies. */
export interface SharedPermit {
  /** Never fails: what the store cannot take back now, it takes back later. */
  giveBack(): Promise<void>;
}

/** Permits that all nodes on one store hold together: of no resource more than its limit, whoever holds them. */
export interface SharedPermits {
  /** Waits until there is one. @throws GatewayError STORE_…; the signal's reason */
  acquire(resource: string, limit: number, signal: AbortSignal): Promise<SharedPermit>;
  /** Of this node's one permit for it: takes or renews it. False while another node has it. @throws GatewayError STORE_… */
  hold(resource: string): Promise<boolean>;
  /** Gives that one back. Never fails: what cannot be given back now is given back later. */
  leave(resource: string): Promise<void>;
  /** Renews what this node holds and gives back what could not be given back before; to be called well within a lease. @throws GatewayError STORE_… */
  keep(): Promise<void>;
}

/** What the permit of a study is called while it is retrieved: it does not tell the study. */
export function studyResource(studyInstanceUid: string): string {
  return `study:${createHash("sha256").update(studyInstanceUid).digest("hex").slice(0, 32)}`;
}

interface PermitParts {
  readonly store: Pick<NodeStore, "takePermit" | "renewPermits" | "returnPermit">;
  readonly node: string;
  readonly clock: Clock;
  readonly random: Random;
}

export function createSharedPermits({ store, node, clock, random }: PermitParts): SharedPermits {
  let count = 0;
  /** What is not ours any more, or may never have been. */
  const owed = new Map<string, readonly [resource: string, holder: string]>();
  const keyOf = (resource: string, holder: string): string => `${holder} ${resource}`;

  const giveBack = async (resource: string, holder: string): Promise<void> => {
    owed.set(keyOf(resource, holder), [resource, holder]);
    await store.returnPermit(resource, holder);
    owed.delete(keyOf(resource, holder));
  };
  const take = async (resource: string, limit: number, holder: string): Promise<boolean> => {
    try {
      const isGranted = await store.takePermit({ resource, limit, holder, node }, PERMIT_LEASE_MS, clock.nowMs());
      if (isGranted) owed.delete(keyOf(resource, holder));
      return isGranted;
    } catch (thrown) {
      // It may have been granted, and the word of it lost.
      owed.set(keyOf(resource, holder), [resource, holder]);
      throw thrown;
    }
  };
  return {
    async acquire(resource, limit, signal) {
      if (limit < 1) throw new GatewayError("INTERNAL", { resource });
      count += 1;
      const holder = `${node}/${count}`;
      for (let lookMs = FIRST_LOOK_MS; ; lookMs = Math.min(lookMs * 2, LONGEST_LOOK_MS)) {
        signal.throwIfAborted();
        if (await take(resource, limit, holder)) break;
        await clock.sleep(Math.ceil(lookMs * (0.5 + random.next() / 2)), signal);
      }
      return { giveBack: () => giveBack(resource, holder).catch(() => undefined) };
    },
    hold: (resource) => take(resource, 1, `${node}/alone`),
    leave: (resource) => giveBack(resource, `${node}/alone`).catch(() => undefined),
    async keep() {
      for (const [resource, holder] of [...owed.values()]) await giveBack(resource, holder);
      await store.renewPermits(node, PERMIT_LEASE_MS, clock.nowMs());
    },
  };
}
