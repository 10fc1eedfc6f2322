/** Examples below a verb's help. */
export function examples(...lines: readonly string[]): string {
  return ["", "Examples:", ...lines.map((line) => `  radferry ${line}`)].join("\n");
}
