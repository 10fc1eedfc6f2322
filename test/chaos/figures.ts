import { readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

/** Beside this file: what the last whole run took, for the page of failures. */
const FILE = fileURLToPath(new URL("figures.json", import.meta.url));

export interface Figures {
  /** YYYY-MM-DD */
  readonly date: string;
  /** By the name of the kind. */
  readonly seconds: Readonly<Record<string, number>>;
}

export function readFigures(): Figures {
  const figures: Figures = JSON.parse(readFileSync(FILE, "utf8"));
  return figures;
}

/** Prints what each kind took; keeps it when RADFERRY_KEEP_FIGURES says so. */
export function recordFigures(seconds: Readonly<Record<string, number>>): void {
  for (const [name, took] of Object.entries(seconds)) process.stdout.write(`${name}: as told, ${took} s\n`);
  if (process.env.RADFERRY_KEEP_FIGURES !== "1") return;
  const date = new Date().toISOString().slice(0, 10);
  const all = { ...readFigures().seconds, ...seconds };
  const sorted = Object.fromEntries(Object.entries(all).sort(([one], [other]) => one.localeCompare(other, "en")));
  writeFileSync(FILE, `${JSON.stringify({ date, seconds: sorted }, null, 2)}\n`);
}
