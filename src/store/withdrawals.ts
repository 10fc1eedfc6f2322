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

/** A patient who was withdrawn from a project, and how far that is. */
export interface WithdrawalRecord {
  readonly number: number;
  readonly project: string;
  readonly digest: string;
  /** `done`: nothing is left at any destination, and who it was is forgotten. */
  readonly state: "open" | "done";
  readonly createdAtMs: number;
  readonly jobs: readonly WithdrawnJob[];
  readonly copies: readonly WithdrawnCopy[];
}

/** The part of the store that knows who was withdrawn, and takes back what was kept of them. */
export interface WithdrawalStore {
  /**
   * In one transaction: puts the patient on the withdrawn list, ends every job of theirs as `excluded` with PATIENT_WITHDRAWN, writes down every
   * copy that may be at a destination, and overwrites what rows of cohorts said. Doing it again adds what is new.
   * @param audit written with it, unless it was before
   * @throws GatewayError WITHDRAWN_KEY_OTHER
   */
  withdrawPatient(wish: WithdrawalWish, audit: AuditEvent, nowMs: number): Promise<WithdrawalRecord>;
  /** Undefined: nobody of that digest was. */
  withdrawal(project: string, digest: string): Promise<WithdrawalRecord | undefined>;
  /** Those that are not done, the first one first. */
  openWithdrawals(limit: number): Promise<readonly WithdrawalRecord[]>;
  /** What would be found, without writing anything. @throws GatewayError WITHDRAWN_KEY_OTHER */
  findWithdrawable(wish: WithdrawalWish): Promise<Pick<WithdrawalRecord, "jobs" | "copies">>;
  /** @throws GatewayError WITHDRAWN_KEY_OTHER where patients were withdrawn under another key: by this one, nobody would be known */
  isWithdrawn(patient: Pick<WithdrawalWish, "project" | "digest" | "keyId">): Promise<boolean>;
  settleCopy(copy: number, end: Pick<WithdrawnCopy, "state" | "code">, nowMs: number): Promise<void>;
  /**
   * Overwrites who the jobs were of: identifiers, ledger, thumbnail; and, once no copy is left anywhere, their reports. Ends the withdrawal then.
   * @param audit written when it ends
   */
  forgetWithdrawn(withdrawal: number, audit: AuditEvent, nowMs: number): Promise<WithdrawalRecord["state"]>;
}
