/**
 * Draws the names of AAPM TG-263 (standard names of structures in radiotherapy) from the dictionary of the PyPI package `tg263` 0.2.0
 * (MIT, Gabriel Couture) into `data/deid-structure-names.tsv`.
 * Run: node scripts/extract-structure-names.ts <folder tg263 of the package>
 */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const ORIGIN = "# Names of AAPM Report 263 (TG-263) by way of PyPI tg263 0.2.0 (MIT, Gabriel Couture)";
const [folder] = process.argv.slice(2);
if (folder === undefined) throw new Error("usage: extract-structure-names.ts FOLDER");

const source = readFileSync(join(folder, "dictionary.py"), "utf8");
const names = [...source.matchAll(/Structure\(re\.compile\(r'[^']*'\), '([^']+)'/g)].map(([, name = ""]) => name);
const isName = /^[A-Za-z][A-Za-z0-9]*(?:[_+-][A-Za-z0-9]+)*$/;
const kept = [...new Set(names)].filter((name) => isName.test(name) && name.length <= 16).sort();
if (kept.length < 500) throw new Error(`${kept.length} names: not the dictionary that was expected`);
writeFileSync(
  join(import.meta.dirname, "..", "data", "deid-structure-names.tsv"),
  `${[ORIGIN, "name", ...kept].join("\n")}\n`,
);
