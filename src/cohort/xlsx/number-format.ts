/** What a number format makes of a number: shown as it is held, filled with zeros, a moment, or something else than what is held. */
export type NumberFormat =
  | { readonly kind: "plain" }
  | { readonly kind: "padded"; readonly digits: number }
  | { readonly kind: "date" }
  | { readonly kind: "other" };

/** Formats that workbooks name by number alone. ISO/IEC 29500-1 18.8.30; 27 to 36 and 50 to 58 are dates in East Asia. */
const BUILT_IN: Readonly<Record<number, string>> = {
  0: "General",
  1: "0",
  2: "0.00",
  3: "#,##0",
  4: "#,##0.00",
  9: "0%",
  10: "0.00%",
  11: "0.00E+00",
  12: "# ?/?",
  13: "# ??/??",
  37: "#,##0 ;(#,##0)",
  38: "#,##0 ;[Red](#,##0)",
  39: "#,##0.00;(#,##0.00)",
  40: "#,##0.00;[Red](#,##0.00)",
  48: "##0.0E+0",
  49: "@",
};
const BUILT_IN_DATES: readonly (readonly [number, number])[] = [
  [14, 22],
  [27, 36],
  [45, 47],
  [50, 58],
];

/** A format by its number; `codes` are those that the workbook brings itself. */
export function numberFormat(id: number, codes: ReadonlyMap<number, string>): NumberFormat {
  const code = codes.get(id) ?? BUILT_IN[id];
  if (code !== undefined) return formatOf(code);
  return BUILT_IN_DATES.some(([first, last]) => id >= first && id <= last) ? { kind: "date" } : { kind: "other" };
}

const LITERAL = "\u0000";
const ELAPSED = /\[(?:h+|m+|s+)\]/i;
const CONDITION = /\[[<>=]/;
const PLAIN = /^(?:general|@|[#?,]*0?(?:\.[0#?]*)?)$/;
const PADDED = /^#*(0{2,})$/;

/** ISO/IEC 29500-1 18.8.31. The first section is that of positive numbers. */
function formatOf(code: string): NumberFormat {
  if (ELAPSED.test(code)) return { kind: "date" };
  if (CONDITION.test(code)) return { kind: "other" };
  const [section = ""] = code
    // Blanks as wide as a character, and characters that fill the cell.
    .replace(/[_*]./g, "")
    .replace(/"[^"]*"|\\./g, LITERAL)
    // Colours and languages.
    .replace(/\[[^\]]*\]/g, "")
    .toLowerCase()
    .split(";");
  const shown = section.trim();
  const digits = PADDED.exec(shown)?.[1]?.length;
  if (digits !== undefined) return { kind: "padded", digits };
  if (PLAIN.test(shown)) return { kind: "plain" };
  return { kind: /[ymdhs]/.test(shown) ? "date" : "other" };
}
