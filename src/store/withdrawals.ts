import type { ErrorCode } from "../errors/registry.ts";
import type { AuditEvent } from "../units/audit.ts";

/** Who is withdrawn from a project. */
export interface WithdrawalWish {
  readonly project: string;
  /** Keyed digest by which the patient is known from now on, hexadecimal. */
  readonly digest: string;
  /** Of the key that made the digest. */
  readonly keyId: string;
  readonly patientId: string;
  /** Under which the project's linkage knows the patient; undefined: no linkage is kept. */
  readonly linkDigest: string | undefined;
  /** Of a store that is one node's own: on its disk lies what no other node has. */
  readonly soleNode?: string | undefined;
  /** No project is left that could be given what was sent unasked and is held. */
  readonly isEverywhere?: boolean | undefined;
}

/** How far a copy at a destination is. `person` and `failed` are tried again when somebody asks. */
export const COPY_STATES = ["waiting", "removed", "absent", "person", "failed"] as const;
export type CopyState = (typeof COPY_STATES)[number];

/** What one destination may hold of one study. */
export interface WithdrawnCopy {
  readonly number: number;
  /** The job that delivered it last. */
  readonly job: string;
  readonly pseudonym: string;
  readonly pseudoStudyInstanceUid: string;
  readonly destination: string;
  readonly state: CopyState;
  /** Why it is left, or failed. */
  readonly code: ErrorCode | undefined;
}

export interface WithdrawnJob {
  readonly job: string;
  /** Undefined: it was never located, or is forgotten already. */
  readonly studyInstanceUid: string | undefined;
  /** Until then a worker may not have noticed that it is to stop. */
  readonly quietAtMs: number;
}

/**
 * How far a node is with the copies on its own disk: workers are still to notice, it is asked to remove them, it has. `given-up`: an operator says
 * that the node is gone, and nobody cleared its disk.
 */
export const PLACE_STATES = ["stopping", "waiting", "given-up", "done"] as const;
export type PlaceState = (typeof PLACE_STATES)[number];

/** Nobody waits for these. */
export const PLACES_OVER: ReadonlySet<PlaceState> = new Set(["given-up", "done"]);

/** A node that has had something of the patient on its disk. */
export interface WithdrawnPlace {
  readonly node: string;
  readonly state: PlaceState;
}

/** What a node is to remove of one withdrawal. */
export interface PlaceToClear {
  readonly withdrawal: number;
  readonly project: string;
  readonly digest: string;
  readonly node: string;
  readonly jobs: readonly { readonly job: string; readonly studyDigest: string | undefined }[];
}

/** A patient who was withdrawn from a project, and how far that is. */
export interface WithdrawalRecord {
  readonly number: number;
  readonly project: string;
  readonly digest: string;
  /** `done`: nothing is left at any destination or on any node that was not given up, and who it was is forgotten. */
  readonly state: "open" | "done";
  readonly createdAtMs: number;
  readonly jobs: readonly WithdrawnJob[];
  readonly copies: readonly WithdrawnCopy[];
  readonly places: readonly WithdrawnPlace[];
}

/** The part of the store that knows who was withdrawn, and takes back what was kept of them. */
export interface WithdrawalStore {
  /**
   * In one transaction: puts the patient on the withdrawn list, ends every job of theirs as `excluded` with PATIENT_WITHDRAWN, writes down every
   * copy that may be at a destination and every node that may have something on its disk, discards what was sent unasked for the project, and
   * overwrites what rows of cohorts said. Doing it again adds what is new.
   * @param audit written with it, unless it was before
   * @throws GatewayError WITHDRAWN_KEY_OTHER
   */
  withdrawPatient(wish: WithdrawalWish, audit: AuditEvent, nowMs: number): Promise<WithdrawalRecord>;
  /** Undefined: nobody of that digest was. */
  withdrawal(project: string, digest: string): Promise<WithdrawalRecord | undefined>;
  /** Those that are not done, the first one first. */
  openWithdrawals(limit: number): Promise<readonly WithdrawalRecord[]>;
  /** What would be found, without writing anything. @throws GatewayError WITHDRAWN_KEY_OTHER */
  findWithdrawable(wish: WithdrawalWish): Promise<Pick<WithdrawalRecord, "jobs" | "copies" | "places">>;
  /** @throws GatewayError WITHDRAWN_KEY_OTHER where patients were withdrawn under another key: by this one, nobody would be known */
  isWithdrawn(patient: Pick<WithdrawalWish, "project" | "digest" | "keyId">): Promise<boolean>;
  /** Nodes may remove what they have: no worker goes on. They know the studies by keyed digests, whoever the patient is forgotten to be by then. */
  askPlaces(
    withdrawal: number,
    studies: readonly { readonly job: string; readonly studyDigest: string }[],
    nowMs: number,
  ): Promise<void>;
  /** Whether a node is asked to remove anything. */
  isAwaited(node: string): Promise<boolean>;
  /** What a node is asked to remove, the first withdrawal first. @throws GatewayError WITHDRAWN_KEY_OTHER, where there is something */
  placesToClear(of: { readonly node: string; readonly keyId: string }, limit: number): Promise<readonly PlaceToClear[]>;
  /** False, and nothing is changed, while the node has discarded studies that were sent unasked. */
  settlePlace(withdrawal: number, node: string, nowMs: number): Promise<boolean>;
  /** Everybody who was withdrawn from a project, and of which key the digests are; undefined: nobody was, from any. */
  withdrawnDigests(
    project: string,
  ): Promise<{ readonly keyId: string | undefined; readonly digests: readonly string[] }>;
  settleCopy(copy: number, end: Pick<WithdrawnCopy, "state" | "code">, nowMs: number): Promise<void>;
  /**
   * Overwrites who the jobs were of: identifiers, ledger, thumbnail; and, once no copy is left anywhere, their reports. Ends the withdrawal then,
   * unless a node still has something.
   * @param audit written when it ends
   */
  forgetWithdrawn(withdrawal: number, audit: AuditEvent, nowMs: number): Promise<WithdrawalRecord["state"]>;
}
