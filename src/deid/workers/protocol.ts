import type { ErrorDetails } from "../../errors/gateway-error.ts";
import type { ErrorCode } from "../../errors/registry.ts";
import type { InstanceTask } from "../deidentifier.ts";
import type { InstanceOutcome } from "../outcome.ts";
import type { IdentifierKind } from "../verification/identifier-kinds.ts";
import type { IdentifierSource } from "../verification/needles.ts";
import type { FileHit, FileToSearch } from "../verification/search-files.ts";
import type { Observation } from "../verification/study-observer.ts";
import type { EngineRecipe } from "./recipe.ts";
import type { ToldSummary } from "./shared-summaries.ts";

export interface StudyTask extends Omit<InstanceTask, "study"> {
  /** Of its file, where that is known. */
  readonly sizeBytes?: number;
  /** It is judged by its own source and never leaves: its study hears what it tells. */
  readonly isAlone?: boolean;
}

/** One instance to de-identify. */
export interface InstanceWork {
  readonly kind: "instance";
  readonly engine: number;
  /** Studies of different numbers share nothing. */
  readonly study: number;
  readonly task: StudyTask;
}

/** Outputs to search for what their study tells. */
export interface SearchWork {
  readonly kind: "search";
  readonly files: readonly FileToSearch[];
  readonly identifiers: readonly (readonly [IdentifierSource, string, IdentifierKind])[];
}

export type Work = InstanceWork | SearchWork;

/** What the thread that shares out work says. Work is done in the order in which it comes. */
export type ToWorker =
  | { readonly engine: number; readonly recipe: EngineRecipe }
  | { readonly call: number; readonly work: Work }
  | { readonly abort: number }
  | { readonly forgetStudy: number }
  | { readonly forgetEngine: number };

export type WorkResult =
  | { readonly kind: "instance"; readonly outcome: ToldOutcome; readonly observation: Observation | undefined }
  | { readonly kind: "search"; readonly hits: readonly FileHit[] };

type Deidentified = Extract<InstanceOutcome, { readonly kind: "deidentified" }>;

export type ToldOutcome =
  | Exclude<InstanceOutcome, Deidentified>
  | (Omit<Deidentified, "summary"> & { readonly summary: ToldSummary });

export type FromWorker =
  | { readonly ready: true }
  | { readonly call: number; readonly result: WorkResult }
  | { readonly call: number; readonly failure: Failure };

/** What was thrown, as plain data: its kind decides what the caller makes of it. */
export type Failure =
  | { readonly kind: "gateway"; readonly code: ErrorCode; readonly details: ErrorDetails; readonly stack: string }
  | { readonly kind: "system"; readonly facts: SystemFacts; readonly message: string; readonly stack: string }
  | { readonly kind: "range" | "other"; readonly message: string; readonly stack: string };

export interface SystemFacts {
  readonly code: string;
  /** Absent: the error is Node's own. */
  readonly syscall?: string;
}
