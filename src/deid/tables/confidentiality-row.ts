import type { OptionName } from "../profiles/options.ts";

/** Action codes of PS3.15 Table E.1-1, combined ones included. */
export type BasicAction = "D" | "Z" | "X" | "U" | "Z/D" | "X/Z" | "X/D" | "X/Z/D" | "X/Z/U*";

/** One row of PS3.15 Table E.1-1. An option that is absent has no opinion. */
export interface ConfidentialityRow {
  readonly tag: number;
  readonly keyword: string;
  readonly vr: string;
  readonly basic: BasicAction;
  readonly options: Readonly<Partial<Record<OptionName, "K" | "C">>>;
}
