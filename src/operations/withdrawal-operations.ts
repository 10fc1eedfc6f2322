import type { ErrorCode } from "../errors/registry.ts";
import type { CopyState } from "../store/withdrawals.ts";

/** Patients who are taken out of a project: part of `Operations`. */
export interface WithdrawalOperations {
  /**
   * Stops what is under way of the patients, removes every copy that was delivered and proves it by read-back; from then on they are neither
   * asked for nor delivered in the project. Done again, it goes on with what was left.
   * @throws GatewayError PROJECT_UNKNOWN, WITHDRAWAL_INVALID, KEY_FILE_…, LINKAGE_UNREADABLE
   */
  withdrawPatients(project: string, wish: WithdrawalWish, signal?: AbortSignal): Promise<WithdrawalDocument>;
}

export interface WithdrawalWish {
  readonly patientIds: readonly string[];
  /** Stands in the audit trail: without anything that tells the patient. */
  readonly reason?: string | undefined;
  /** Only tells what would be done. */
  readonly isRehearsal?: boolean | undefined;
}

/** Without an identifier of a patient: pseudonyms and new UIDs name what is where. */
export interface WithdrawalDocument {
  readonly project: string;
  readonly dryRun: boolean;
  readonly patients: number;
  /** Patients who were withdrawn from the project already. */
  readonly withdrawnBefore: number;
  /** Study jobs of theirs. */
  readonly studies: number;
  /** Patients of whom nothing is left anywhere; not those of whom something may lie on the disk of a gateway that was given up. */
  readonly done: number;
  /** Gateways that have not removed yet what may lie on their disks. */
  readonly waitingFor: readonly WaitedFor[];
  /** Gateways that an operator gave up: nobody cleared their disks, and nobody waits for them. */
  readonly givenUp: readonly GivenUpNode[];
  /** Studies that were sent unasked and are held, for this project or another: somebody has to look at them. */
  readonly unaskedHeld: number;
  readonly destinations: readonly WithdrawnDestination[];
  /** Where somebody has to act, or the removal has to be tried again. */
  readonly left: readonly LeftCopy[];
}

export interface WithdrawnDestination {
  readonly name: string;
  /** Copies by how far they are. */
  readonly copies: { readonly [S in CopyState]: number };
}

export interface WaitedFor {
  readonly node: string;
  readonly patients: number;
  /** Last sign of life, in ISO 8601; null: none is known of. */
  readonly seenAt: string | null;
}

export interface GivenUpNode {
  readonly node: string;
  readonly patients: number;
}

export interface LeftCopy {
  readonly destination: string;
  readonly pseudonym: string;
  readonly pseudoStudyInstanceUid: string;
  /** `person`: somebody has to act there; `failed`: it is tried again. */
  readonly state: "person" | "failed" | "waiting";
  readonly code: ErrorCode | null;
}
