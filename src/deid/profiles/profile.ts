import type { CompiledRules } from "../rules/compiled-rules.ts";
import type { OptionName } from "./options.ts";

/** What one rejected instance does: it stops its whole study, or it alone stays behind and is counted. */
export type OnReject = "study" | "instance";

/** The effective rules of a project, ready to run. */
export interface Profile {
  readonly name: string;
  readonly version: number;
  /** SHA-256 of the canonical JSON of the effective rule set, lower-case hexadecimal. */
  readonly hash: string;
  readonly onReject: OnReject;
  /** The options of PS3.15 Annex E this profile applies, in the order of CID 7050. */
  readonly options: readonly OptionName[];
  readonly rules: CompiledRules;
}
