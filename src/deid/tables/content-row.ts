import type { OptionName } from "../profiles/options.ts";

/** One row of PS3.15 Table E.3.4-1: a content item by its concept name, "value scheme", and its value type. */
export interface ContentRow {
  readonly concept: string;
  readonly valueType: string;
  readonly basic: "X" | "D" | "X/D";
  readonly options: Readonly<Partial<Record<OptionName, "K" | "C">>>;
}
