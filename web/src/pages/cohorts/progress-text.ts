import { countText, numberText } from "../../components/numbers.ts";

const UNITS = { row: "rows", study: "studies", query: "queries" } as const;

/** What an inquiry goes through. */
export type InquiryUnit = keyof typeof UNITS;

/** "3 of 12 studies". */
export function progressText(
  { done, total }: { readonly done: number; readonly total: number },
  unit: InquiryUnit,
): string {
  return `${numberText(done)} of ${countText(total, unit, UNITS[unit])}`;
}
