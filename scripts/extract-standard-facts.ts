/**
 * Draws facts of PS3.3 (which attributes an IOD holds, their type, their defined terms) from the JSON files of the PyPI package
 * `dicom-standard` 0.1.0 (MIT, innolitics, PS3.3 of 2020) into the tables `data/deid-*.tsv` that `generate-deid-tables.ts` reads.
 * Run: node scripts/extract-standard-facts.ts <folder with module_to_attributes.json …> <dicom registry .tsv>
 */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { PIXEL_CLASSES, STRUCTURED_CLASSES } from "../src/deid/pixels/sop-classes.ts";

interface AttributeRow {
  readonly moduleId?: string;
  readonly macroId?: string;
  readonly path: string;
  readonly tag: string;
  readonly type: string;
  readonly description: string;
  readonly externalReferences: readonly { readonly sourceUrl: string }[];
}

const ORIGIN = "# Facts of DICOM PS3.3 (2020) by way of PyPI dicom-standard 0.1.0 (MIT)";
/** Modules about people and trials: their sequences never join the safe list. */
const IDENTITY_MODULE =
  /^(?:patient|clinical-trial|general-study|study|visit|sop-common|digital-sig|encapsulated|icon)/;
const IDENTITY_SEQUENCE = /^(?:0010|0012|0038|0040A|0400|4FFE|FFFA|0032|0072|0088|0070)/;
const TERM = /^[A-Z0-9][A-Z0-9_ +\-./]{0,15}$/;
const TYPE_ORDER = ["1", "1C", "2", "2C", "3"];
const TYPED_VRS = new Set([
  "CS",
  "IS",
  "DA",
  "TM",
  "DT",
  "LO",
  "SH",
  "ST",
  "LT",
  "UT",
  "UC",
  "SQ",
  "PN",
  "AS",
  "AE",
  "UI",
]);

const [folder, registryPath] = process.argv.slice(2);
if (folder === undefined || registryPath === undefined)
  throw new Error("usage: extract-standard-facts.ts FOLDER REGISTRY");

function load<T>(name: string): T {
  return JSON.parse(readFileSync(join(folder ?? "", name), "utf8")) as T;
}

const vrs = new Map(
  readFileSync(registryPath, "utf8")
    .split("\n")
    .filter((line) => /^[0-9A-F]{8}\t/.test(line))
    .map((line) => line.split("\t"))
    .map(([tag, , vr]) => [tag ?? "", vr ?? ""]),
);
const references = load<Record<string, string>>("references.json");
const sops = load<{ id: string; ciod: string }[]>("sops.json");
const ciods = new Map(load<{ id: string; name: string }[]>("ciods.json").map((ciod) => [ciod.name, ciod.id]));
const modulesOf = Map.groupBy(
  load<{ ciodId: string; moduleId: string }[]>("ciod_to_modules.json"),
  (row) => row.ciodId,
);
const macrosOf = Map.groupBy(
  load<{ ciodId: string; macroId: string }[]>("ciod_to_fg_macros.json"),
  (row) => row.ciodId,
);
const attributes = [
  ...load<AttributeRow[]>("module_to_attributes.json"),
  ...load<AttributeRow[]>("macro_to_attributes.json"),
];
const rowsOf = Map.groupBy(attributes, (row) => row.moduleId ?? `macro ${row.macroId}`);

function termsIn(html: string): string[] {
  return [...html.matchAll(/<dt>\s*<span[^>]*>([^<]*)<\/span>/g)]
    .map((match) => (match[1] ?? "").replaceAll("\u00a0", " ").trim())
    .filter((term) => TERM.test(term));
}

const terms = new Map<string, Set<string>>();
const sequences = new Set<string>();
const types: string[] = [];
const sopModules: string[] = [];
const usedModules = new Set<string>();
/** Of classes whose terms and sequences are reviewed: of documents, reports and presentation states only types are taken. */
const reviewedModules = new Set<string>();

for (const { id, ciod } of sops) {
  const kind = PIXEL_CLASSES.get(id)?.kind;
  const isStructured = STRUCTURED_CLASSES.has(id);
  if (kind === "document" || kind === "video" || (kind === undefined && !isStructured)) continue;
  const ciodId = ciods.get(ciod) ?? "";
  const modules = [
    ...(modulesOf.get(ciodId) ?? []).map((row) => row.moduleId),
    ...(macrosOf.get(ciodId) ?? []).map((row) => `macro ${row.macroId}`),
  ];
  for (const module of modules) {
    usedModules.add(module);
    if (!isStructured && kind !== "pdf") reviewedModules.add(module);
  }
  sopModules.push(`${id}\t${[...new Set(modules)].sort().join(",")}`);
}

for (const module of [...usedModules].sort()) {
  const strictest = new Map<string, string>();
  for (const row of rowsOf.get(module) ?? []) {
    const tags = row.path
      .split(":")
      .slice(1)
      .map((part) => part.toUpperCase());
    const tag = tags.at(-1) ?? "";
    const parent = tags.at(-2) ?? (module.startsWith("macro ") ? "*" : "00000000");
    const vr = vrs.get(tag);
    if (vr === undefined) continue;
    if (vr === "CS" && reviewedModules.has(module)) {
      const found = terms.get(tag) ?? new Set<string>();
      for (const term of termsIn(row.description)) found.add(term);
      for (const { sourceUrl } of row.externalReferences) {
        if (/#sect_C/.test(sourceUrl)) for (const term of termsIn(references[sourceUrl] ?? "")) found.add(term);
      }
      if (/\bYES\b/.test(row.description)) for (const term of ["YES", "NO"]) found.add(term);
      terms.set(tag, found);
    }
    if (
      vr === "SQ" &&
      reviewedModules.has(module) &&
      !IDENTITY_MODULE.test(module) &&
      !tags.some((each) => IDENTITY_SEQUENCE.test(each))
    )
      sequences.add(tag);
    if (!TYPED_VRS.has(vr) || !TYPE_ORDER.includes(row.type)) continue;
    const key = `${parent}\t${tag}`;
    const known = strictest.get(key);
    if (known === undefined || TYPE_ORDER.indexOf(row.type) < TYPE_ORDER.indexOf(known)) strictest.set(key, row.type);
  }
  for (const [key, type] of strictest) types.push(`${module}\t${key}\t${type}`);
}

function write(name: string, header: string, lines: Iterable<string>): void {
  writeFileSync(join("data", name), [ORIGIN, header, ...[...lines].sort(), ""].join("\n"));
}

write(
  "deid-defined-terms.tsv",
  "tag\tterms",
  [...terms].filter(([, set]) => set.size > 0).map(([tag, set]) => `${tag}\t${[...set].sort().join("\\")}`),
);
write("deid-safe-sequences.tsv", "tag", sequences);
write("deid-iod-types.tsv", "module\tparent\ttag\ttype", types);
write("deid-sop-modules.tsv", "sop_class\tmodules", sopModules);
write(
  "deid-retired.tsv",
  "tag",
  load<{ id: string; retired: string }[]>("attributes.json")
    .filter((row) => row.retired === "Y" && /^[0-9a-f]{8}$/i.test(row.id))
    .map((row) => row.id.toUpperCase()),
);
