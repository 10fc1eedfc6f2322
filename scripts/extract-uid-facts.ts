/**
 * Draws the UIDs of PS3.6 tables A-1 and A-2 from `_uid_dict.py` of pydicom (MIT, made from PS3.6) into `data/dicom-uids.tsv`.
 * Run: node scripts/extract-uid-facts.ts <file _uid_dict.py>
 */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const ENTRY =
  /^\s*["'](1\.2\.840\.10008\.[0-9.]*[0-9])["']:\s*\(\s*["'](?:[^"'\\]|\\.)*["'],\s*["']([A-Za-z -]+)["'],/gm;

const [file] = process.argv.slice(2);
if (file === undefined) throw new Error("usage: extract-uid-facts.ts FILE");

const rows = [...readFileSync(file, "utf8").matchAll(ENTRY)].map(([, uid = "", type = ""]) => `${uid}\t${type}`);
const header = ["# Facts of DICOM PS3.6 by way of pydicom, 2026-06 (MIT)", "uid\ttype"];
writeFileSync(join(import.meta.dirname, "..", "data", "dicom-uids.tsv"), `${[...header, ...rows].join("\n")}\n`);
process.stdout.write(`${rows.length} UIDs\n`);
