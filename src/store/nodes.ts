import type { AuditEvent } from "../units/audit.ts";

/** One of the gateways that share a store. */
export interface NodeRecord {
  readonly name: string;
  readonly version: string;
  /** What it does: `receiver`, `worker`, `http`. */
  readonly roles: readonly string[];
  /** Where other nodes reach it; undefined: nowhere. */
  readonly address: string | undefined;
  readonly startedAtMs: number;
  readonly seenAtMs: number;
}

/** Who gave no sign for so long is taken for dead: his studies are another's, if they can be. */
export const SILENT_MS = 30_000;

/** Who holds it goes by the node's name; its holder is the home. */
export function nameResource(node: string): string {
  return `node:${node}`;
}

/** What was given up with a node, in numbers. */
export interface GivenUp {
  /** That waited for its disk to be cleared. */
  readonly withdrawals: readonly { readonly number: number; readonly project: string; readonly digest: string }[];
  /** Anybody's again: what it had of them is fetched again. */
  readonly studiesFreed: number;
  /** Were sent to it unasked, and are looked for in archives, as a cohort names them. */
  readonly studiesSoughtAnew: number;
  /** Were sent to it unasked, and nobody has them any more. */
  readonly studiesLost: number;
  /** Were sent to it unasked, and waited for a person. */
  readonly heldLost: number;
  readonly permits: number;
}

/** Leave to do something that all nodes together may do so often at once: an association to an archive, a study's retrieval. */
export interface PermitWish {
  readonly resource: string;
  /** So many at once, whoever holds them. */
  readonly limit: number;
  /** Whose it is; who asks again under one name has one. */
  readonly holder: string;
  readonly node: string;
}

/** What gateways that share a store tell and grant each other. */
export interface NodeStore {
  /** A sign of life. What is held by a node that gave none for half a minute is anybody's, or waits for it if it lies on its disk alone. */
  beatNode(node: Omit<NodeRecord, "seenAtMs">, nowMs: number): Promise<void>;
  /** Of a node that ends in order: what it holds is anybody's at once, but for what lies on its disk alone. */
  leaveNodes(node: string): Promise<void>;
  /** By name. */
  listNodes(): Promise<readonly NodeRecord[]>;
  /** Where a study's instances belong: with the node that holds its permit, or else with the one that keeps what was sent of it. */
  nodeOfStudy(
    of: { readonly resource: string; readonly studyInstanceUid: string },
    nowMs: number,
  ): Promise<NodeRecord | undefined>;
  /** On whose disk what was sent unasked of a study lies; undefined: nothing was, or the store is one node's own. */
  intakeNodeOf(studyInstanceUid: string): Promise<string | undefined>;
  /**
   * In one transaction: nobody waits for a node any longer that is gone for good. What was sent to it unasked ends with STUDY_LOST_WITH_NODE, and withdrawals
   * go on without it, those of later, too, until it comes back.
   * @param audit written with it
   */
  giveUpNode(node: string, audit: AuditEvent, nowMs: number): Promise<GivenUp | "at work" | "unknown">;
  /**
   * Of a node that is at work: whatever comes under its name is waited for again. In the home that was given up it is asked for all that
   * it was not asked for meanwhile, and what was sent to it unasked is held for a person.
   * @returns whether it was given up
   */
  returnNode(node: string, home: string, nowMs: number): Promise<boolean>;
  /** Of those that gave no sign since. */
  forgetNodes(seenBeforeMs: number): Promise<number>;
  /** False while others hold as many as there may be. A permit lapses unless its node renews it: who died holds nothing for long. */
  takePermit(wish: PermitWish, leaseMs: number, nowMs: number): Promise<boolean>;
  /** All that a node holds, at once. A lapsed one that nobody took is its own again. Returns how many. */
  renewPermits(node: string, leaseMs: number, nowMs: number): Promise<number>;
  returnPermit(resource: string, holder: string): Promise<boolean>;
  /** Of a node that begins anew. */
  returnPermitsOf(node: string): Promise<number>;
}
