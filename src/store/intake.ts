import type { ErrorCode } from "../errors/registry.ts";
import type { AuditEvent } from "../units/audit.ts";
import type { JobState } from "./job-states.ts";
import type { JobEvent } from "./records.ts";

/**
 * What became of a study that was sent to us unasked: `open` waits until nothing more comes, `held` for a person, `queued` is a job of its
 * project.
 */
export const INTAKE_STATES = ["open", "held", "queued"] as const;
export type IntakeState = (typeof INTAKE_STATES)[number];

/** An instance that was sent unasked; its file is on disk already. */
export interface IntakeInstance {
  /** On whose disk its file lies, where several nodes share the store. */
  readonly node?: string;
  readonly studyInstanceUid: string;
  readonly seriesInstanceUid: string;
  readonly sopInstanceUid: string;
  readonly sopClassUid: string;
  readonly patientId: string;
  readonly accessionNumber: string;
  readonly modality: string;
  readonly callingAeTitle: string;
  /** Name of its file. */
  readonly file: string;
  /** Undefined: no rule says whose it is. */
  readonly project: string | undefined;
  readonly rule: string | undefined;
}

/** How long more is waited for: after the last instance, and after the first at most. */
export interface IntakePatience {
  readonly quietMs: number;
  readonly longestMs: number;
}

export interface IntakeStudy {
  readonly id: string;
  readonly state: IntakeState;
  /** Why it is held. */
  readonly code: ErrorCode | undefined;
  readonly project: string | undefined;
  /** The project's study that it became, and how that stands; undefined: it became none, or is not there any more. */
  readonly job: string | undefined;
  readonly jobState: JobState | undefined;
  readonly rule: string | undefined;
  readonly modality: string;
  readonly callingAeTitle: string;
  readonly instances: number;
  /** How many it should hold, as an archive said when it was last asked; undefined: none was, or it did not say. */
  readonly expected: number | undefined;
  readonly firstAtMs: number;
  readonly lastAtMs: number;
}

export interface IntakeCount {
  readonly state: IntakeState;
  readonly studies: number;
  /** When the first instance came of the one that waits longest. */
  readonly oldestAtMs: number;
}

/** A study's instances as a project was given them. */
export interface IntakeContents {
  readonly patientId: string;
  readonly accessionNumber: string;
  /** See `IntakeStudy`. */
  readonly expected: number | undefined;
  readonly instances: readonly Pick<IntakeInstance, "sopInstanceUid" | "seriesInstanceUid" | "sopClassUid" | "file">[];
}

/** A study that has gone quiet, before an archive is asked how much it should hold. */
export interface QuietStudy {
  readonly id: string;
  readonly studyInstanceUid: string;
  readonly rule: string;
  readonly instances: number;
}

/** What was learnt of a quiet study. */
export interface QuietAnswer {
  readonly id: string;
  /** That were there when it was asked for: of a study that more came of since, it says nothing. */
  readonly instances: number;
  /** How many it should hold, as far as known; undefined: nobody could say. */
  readonly expected: number | undefined;
  /** For the timeline. */
  readonly detail: JobEvent["detail"];
}

/** Instances that a sender asked us to commit to, over an association of our own to him. */
export interface CommitmentWish {
  readonly transactionUid: string;
  readonly callingAeTitle: string;
  readonly calledAeTitle: string;
  readonly instances: readonly { readonly sopClassUid: string; readonly sopInstanceUid: string }[];
}

export interface WaitingCommitment extends CommitmentWish {
  readonly number: number;
  readonly createdAtMs: number;
  /** That failed. */
  readonly attempts: number;
}

/** The part of the store that keeps what was sent unasked. */
export interface IntakeStore {
  /** Resolves once they are on disk, with an answer for each. False: the instance is there already, and this file is not wanted. */
  addIntakeInstances(
    instances: readonly IntakeInstance[],
    patience: IntakePatience,
    nowMs: number,
  ): Promise<readonly boolean[]>;
  /** When the next open study is complete by the time; undefined when none is open. */
  nextIntakeDueAtMs(): Promise<number | undefined>;
  /**
   * Makes jobs of open studies that are due, some at a time, and answers how many were looked at. One whose job is there already is queued again, so
   * that only the difference is delivered; while that job is under way, it is looked at again later.
   * @param asking rules whose studies an archive is asked for first: they are answered, and due again when nobody told by then what it said
   */
  queueDueIntake(
    patience: IntakePatience,
    nowMs: number,
    asking?: readonly string[],
  ): Promise<{ readonly due: number; readonly toAsk: readonly QuietStudy[] }>;
  /** Makes the study a job, or lets it wait for the end of the patience where it should hold more. */
  tellIntake(answer: QuietAnswer, patience: IntakePatience, nowMs: number): Promise<void>;
  /** Studies that wait: for more of them, or for a person; those of which there are none are left out. */
  intakeCounts(): Promise<readonly IntakeCount[]>;
  listIntake(filter: {
    readonly state?: IntakeState | undefined;
    readonly after?: string | undefined;
    readonly limit: number;
  }): Promise<readonly IntakeStudy[]>;
  /** What was given to a project that wants no part of it is nobody's any more, like a study that a person discards. */
  discardUnasked(project: string, studyInstanceUid: string): Promise<void>;
  /** How many studies of a patient wait for a person. */
  heldIntakeOf(patientId: string): Promise<number>;
  /** What of a study was given to a project; undefined: nothing. */
  intakeContents(project: string, studyInstanceUid: string): Promise<IntakeContents | undefined>;
  /**
   * Gives a held study to a project, as a job; not while its job there is under way.
   * @param audit written in the same transaction, when it is given
   */
  assignIntake(
    id: string,
    project: string,
    audit: AuditEvent,
    nowMs: number,
  ): Promise<"assigned" | "not held" | "under way">;
  /** A held study is nobody's any more; its files are removed by who sweeps. False when it is not held. */
  discardIntake(id: string, audit: AuditEvent, nowMs: number): Promise<boolean>;
  /**
   * Forgets studies, some at a time: discarded ones, and those of jobs that ended well which nothing was added to since then. Answers the names of
   * their files, which are nobody's now.
   * @param node where several share the store: on whose disk the files lie; studies of other nodes stay
   */
  forgetIntake(lastBeforeMs: number, node?: string): Promise<readonly string[]>;
  /** Resolves once it is on disk; it is due at once. `full`: too many of this sender wait. */
  addCommitment(wish: CommitmentWish, nowMs: number): Promise<"added" | "known" | "full">;
  nextCommitmentDueAtMs(): Promise<number | undefined>;
  /** Those that are due, oldest request first; nobody else is given them before the lease ends. */
  claimCommitments(limit: number, leaseMs: number, nowMs: number): Promise<readonly WaitingCommitment[]>;
  /** One that was claimed is due at once; no attempt is counted. */
  releaseCommitment(number: number, nowMs: number): Promise<void>;
  /** All are due now: at the start of a gateway that is alone with its store, whoever claimed one was killed. */
  hurryCommitments(nowMs: number): Promise<void>;
  /** After a failed attempt. */
  postponeCommitment(number: number, dueAtMs: number): Promise<void>;
  endCommitment(number: number): Promise<void>;
  /** SOP class of each that we hold, or that was delivered before its file left; undefined for the others. */
  committableClasses(sopInstanceUids: readonly string[]): Promise<readonly (string | undefined)[]>;
  /** Names of kept files that begin so. */
  intakeFiles(prefix: string): Promise<readonly string[]>;
  /** A file has another name now. False: it was nobody's any more. */
  moveIntakeFile(from: string, to: string): Promise<boolean>;
}
