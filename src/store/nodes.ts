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
