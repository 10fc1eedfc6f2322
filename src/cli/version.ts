import { readFileSync } from "node:fs";

/** Of this program, as its package says. */
export function programVersion(): string {
  const facts: { readonly version: string } = JSON.parse(
    readFileSync(new URL("../../package.json", import.meta.url), "utf8"),
  );
  return facts.version;
}
