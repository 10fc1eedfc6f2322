import type { Finding } from "../../units/file-problems.ts";
import type { RuleDocument } from "./profile-document.ts";

/** Something wrong with a rule, by the key that is to blame. */
export type RuleFinding = Omit<Finding, "path"> & { readonly key: keyof RuleDocument };

/** Stops the compiling of one rule; turned into a finding by whoever began it. */
export class RuleRefusal extends Error {
  override readonly name = "RuleRefusal";
  readonly finding: RuleFinding;

  constructor(finding: RuleFinding) {
    super(finding.message ?? finding.code);
    this.finding = finding;
  }
}
