import type { ErrorCode } from "../errors/registry.ts";
import type { DeidentifiedFile } from "../staging/deidentified-file.ts";
import type { PseudonymLink } from "../store/records.ts";
import type { SampleEntry } from "./study-sample.ts";

/** What happened to an element, as the report counts it. */
export type ActionName =
  | "kept"
  | "replaced"
  | "emptied"
  | "removed"
  | "pseudonym"
  | "uid"
  | "shifted"
  | "cleaned"
  | "added";

/** Why an instance was left out on purpose: not a failure. docs/profiles.md says what each means. */
export const EXCLUSION_REASONS = [
  "series-not-requested",
  "too-few-instances",
  "series-description",
  "modality",
  "manufacturer",
  "series-number",
  "sop-class",
  "dicomdir",
  "document",
  "video",
  /** A person released its study from quarantine without it. */
  "released-without",
] as const;

export type ExclusionReason = (typeof EXCLUSION_REASONS)[number];

/** Why the engine would not let an instance go. */
export type RejectionCode = Extract<
  ErrorCode,
  | "BURNED_IN_ANNOTATION"
  | "COMPRESSED_PIXEL_METADATA"
  | "DEIDENTIFICATION_UNPROVEN"
  | "IDENTIFIER_FOUND"
  | "INSTANCE_DUPLICATE"
  | "INSTANCE_NOT_PARSABLE"
  | "LOOKUP_ROW_MISSING"
  | "PIXEL_DATA_INCONSISTENT"
  | "PIXEL_MASK_NOT_APPLICABLE"
  | "SOP_CLASS_NOT_ALLOWED"
>;

/** Counts by "(0010,0010)"; never a value. */
type CountsByTag = ReadonlyMap<string, number>;

/** What was done to one instance, for the study's report: tags and counts, no values. */
export interface InstanceSummary {
  readonly actions: ReadonlyMap<string, Readonly<Partial<Record<ActionName, number>>>>;
  /** Elements removed because neither the table nor a safe list names them. */
  readonly unlisted: CountsByTag;
  /** Private elements removed, by "(0029,xx10)". */
  readonly privateElements: CountsByTag;
  /** Oddities handled, such as `surplus-pixel-bytes`. */
  readonly notes: ReadonlyMap<string, number>;
  /** Codes of CID 7050 claimed in the output. */
  readonly options: readonly string[];
  /** Attributes before and after, without values. */
  readonly sample: readonly SampleEntry[];
  readonly verify: { readonly hits: 0; readonly sizeBytes: number; readonly identifiers: number };
}

export type InstanceOutcome =
  | {
      readonly kind: "deidentified";
      readonly file: DeidentifiedFile;
      readonly summary: InstanceSummary;
      /** Whose the original says it is, without blanks around it: for who decides whether the copy may leave, and for nothing that is written. */
      readonly originalPatientId: string;
      /** What its replacements were made from. */
      readonly links: readonly PseudonymLink[];
    }
  | { readonly kind: "excluded"; readonly reason: ExclusionReason }
  /** `reason` is a stable word, with a tag where one is to blame; it holds no value of the object. */
  | { readonly kind: "rejected"; readonly code: RejectionCode; readonly reason: string };
