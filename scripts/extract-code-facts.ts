/**
 * Draws facts of PS3.16 (codes, their meanings, the words of its context groups) from the tables of the PyPI package `pydicom` 3.0.2
 * (MIT, made from PS3.16) into `data/deid-code-meanings.tsv`, `data/deid-snomed-codes.tsv` and `data/deid-vocabulary-groups-en.tsv`.
 * Run: node scripts/extract-code-facts.ts <folder pydicom/sr>
 */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { CODE_FORMS } from "../src/deid/tables/code-schemes.ts";

const ORIGIN = "# Facts of DICOM PS3.16 by way of PyPI pydicom 3.0.2 (MIT)";
/** Context groups whose words may stay in descriptions: anatomy, laterality, views, planes, phases, structures to segment. */
const VOCABULARY_GROUPS = new Set([
  2, 4, 12, 20, 27, 212, 244, 245, 501, 502, 1010, 3010, 3014, 3015, 3472, 3829, 4005, 4009, 4010, 4011, 4013, 4014,
  4015, 4028, 4030, 4031, 4040, 4042, 4111, 6116, 6117, 6149, 6300, 6312, 7140, 7160, 7192, 7600, 7601, 7602, 9514,
  10014, 10044, 10060, 12104, 12105, 12107, 12109, 12130, 12131,
]);
const SHORTEST_WORD = 3;
/** Words that say nothing on their own, or that are names as often as words. */
const LEFT_OUT = new Set(
  "and the for with not all any part other due via per see none than from into that this who old male female gray white".split(
    " ",
  ),
);

const [folder] = process.argv.slice(2);
if (folder === undefined) throw new Error("usage: extract-code-facts.ts FOLDER");

function source(name: string): string {
  return readFileSync(join(folder ?? "", name), "utf8");
}

const meanings: string[] = [];
const known = new Set<string>();
const phrases: string[] = [];
const allMeanings: string[] = [];
for (const section of source("_concepts_dict.py")
  .split(/^concepts\["/m)
  .slice(1)) {
  const scheme = section.slice(0, section.indexOf('"'));
  const form = CODE_FORMS.get(scheme);
  for (const [, value = "", text = "", groups = ""] of section.matchAll(
    /"([^"\n]+)":\s*\(\s*"((?:[^"\\\n]|\\.)*)",\s*\[([0-9,\s]*)\]/g,
  )) {
    const meaning = text.replaceAll('\\"', '"');
    allMeanings.push(meaning);
    if (groups.split(",").some((group) => VOCABULARY_GROUPS.has(Number(group.trim())))) phrases.push(meaning);
    if (form?.test(value) !== true || !/^[\x20-\x7e]{1,64}$/.test(meaning)) continue;
    meanings.push(`${scheme}\t${value}\t${meaning}`);
    known.add(`${scheme} ${value}`);
  }
}

const snomed = [...source("_snomed_dict.py").matchAll(/"([A-Z][0-9A-F]?-[0-9A-F]{4,6})":\s*"([0-9]{6,18})"/g)]
  .map(([, old = "", concept = ""]) => ({ old, concept }))
  .filter(({ concept }) => known.has(`SCT ${concept}`))
  .map(({ old, concept }) => `${old}\t${concept}`);

/** Words of the context groups that some meaning has in lower case: a word that never is, is somebody's name. */
function vocabulary(): string[] {
  const inLowerCase = new Set(
    allMeanings.flatMap((meaning) => meaning.split(/[^A-Za-z]+/)).filter((word) => /^[a-z]+$/.test(word)),
  );
  const words = phrases.flatMap((phrase) => phrase.split(/[^A-Za-z]+/)).map((word) => word.toLowerCase());
  return words.filter((word) => word.length >= SHORTEST_WORD && inLowerCase.has(word) && !LEFT_OUT.has(word));
}

function write(name: string, header: string, lines: Iterable<string>): void {
  writeFileSync(join("data", name), [ORIGIN, header, ...[...new Set(lines)].sort(), ""].join("\n"));
}

write("deid-code-meanings.tsv", "scheme\tvalue\tmeaning", meanings);
write("deid-snomed-codes.tsv", "srt\tsct", snomed);
write("deid-vocabulary-groups-en.tsv", "word", vocabulary());
