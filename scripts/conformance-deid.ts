import { readFileSync } from "node:fs";
import { PIXEL_CLASSES, type PixelClassKind } from "../src/deid/pixels/sop-classes.ts";
import { loadProfile, loadProfileDocument } from "../src/deid/profiles/load-profile.ts";
import { OPTIONS, type OptionName, SUPPORTED_OPTIONS } from "../src/deid/profiles/options.ts";
import { SHIPPED_PROFILES } from "../src/deid/profiles/shipped-profiles.ts";
import { vocabularyOf } from "../src/deid/rules/clean-text.ts";
import { compilePrivateRules } from "../src/deid/rules/private-rules.ts";
import { CODE_FORMS } from "../src/deid/tables/code-schemes.ts";
import { CONFIDENTIALITY_TABLE } from "../src/deid/tables/confidentiality-table.generated.ts";
import { CONTENT_TABLE } from "../src/deid/tables/content-table.generated.ts";
import { DUMMIES, DUMMY_BYTES, DUMMY_CODE } from "../src/deid/tables/dummies.ts";
import { SAFE_PRIVATE } from "../src/deid/tables/safe-private.generated.ts";
import { storageSopClasses } from "../src/dicom/dictionary/sop-classes.ts";
import { table } from "./conformance-tables.ts";

type Row = readonly string[];

/** `docs/conformance.md`, 10.4: what PS3.15 annex E asks a conformance statement to say of de-identification. */
export function deidentificationSection(): string {
  return [options(), dummies(), cleaning(), privateElements(), uids(), pixels(), sources()].join("\n\n");
}

function options(): string {
  return `### 10.4 De-identification

Studies are de-identified by profiles ([profiles.md](profiles.md)) over PS3.15 2026c annex E: the ${rowsOf("deid-table.tsv").length} rows of table E.1-1, the
${CONTENT_TABLE.length} concepts of table E.3.4-1. What neither a table nor a safe list names is removed. Patient Identity Removed (0012,0062), the
method with the profile and its hash (0012,0063), codes of CID 7050 (0012,0064) and Longitudinal Temporal Information Modified (0028,0303) are
written into every object, in the place of what was there. (0012,0064) claims the basic profile and, of the profile's options, those that
decided of an element of this very object: one that retains, where something was retained; one that cleans, where there was something to
clean. (0028,0303) says what became of this object's dates; without any that an option or rule kept it is REMOVED.

| option | code | attributes kept | attributes cleaned | carried out |
|---|---|---|---|---|
${Object.keys(OPTIONS)
  .filter(isOption)
  .map((name) => optionRow(name))
  .join("\n")}

Profiles that come with the program:

${table(["profile", "options", "unlisted attributes", "reports", "a rejected object stops"], SHIPPED_PROFILES.map(profileRow))}`;
}

function isOption(name: string): name is OptionName {
  return name in OPTIONS;
}

function optionRow(name: OptionName): string {
  const { code, meaning } = OPTIONS[name];
  const count = (letter: string): string => {
    if (name === "basic") return "";
    const rows = CONFIDENTIALITY_TABLE.filter((row) =>
      Object.entries(row.options).some(([option, action]) => option === name && action === letter),
    );
    return rows.length === 0 ? "" : String(rows.length);
  };
  const isCarriedOut = SUPPORTED_OPTIONS.has(name) ? "yes" : "no: a profile that asks for it is refused";
  return `| ${meaning}${name === "basic" ? "" : ` \`${name}\``} | ${code} | ${count("K")} | ${count("C")} | ${isCarriedOut} |`;
}

function profileRow(name: string): Row {
  const document = loadProfileDocument(name);
  const named = document.options.length === 0 ? "none" : document.options.join(", ");
  return [`\`${name}\``, named, document.unlisted, document.sr, document.on_reject];
}

function dummies(): string {
  const texts = Object.entries(DUMMIES).map(([vr, value]): Row => [vr, `\`${value}\``]);
  const bytes = Object.entries(DUMMY_BYTES).map(([vr, length]): Row => [vr, `${length} zero bytes`]);
  return `#### 10.4.1 Dummy values

Where a value must be there (action D), it is one of these, whatever it replaces; a profile may name another.

${table(["VR", "value"], [...texts, ...bytes])}

A required coded entry becomes (${DUMMY_CODE.value}, ${DUMMY_CODE.scheme}, "${DUMMY_CODE.meaning}"). Patient's Name and Patient ID are the pseudonym.`;
}

function cleaning(): string {
  const { words, hash } = vocabularyOf();
  return `#### 10.4.2 Manner of cleaning

Of descriptions, words of a vocabulary stay, with numbers of up to 3 digits and their units; titles go with the word behind them, as do words
that equal an identifier of the study; the name of an institution, a street or a device is one as a whole, and by words that are not of the
vocabulary. What is left empty is treated by the basic profile.

${table(
  ["what", "value"],
  [
    ["languages", "English"],
    ["words", String(words.size)],
    ["SHA-256 of the vocabulary and the words of structures", `\`${hash}\``],
    [
      "names of regions in structure sets and segmentations",
      "as AAPM TG-263 makes them, of words of the list below and of the vocabulary; else numbered",
    ],
    ["coding schemes of which entries stay", [...CODE_FORMS.keys()].join(", ")],
    [
      "code meanings",
      `${rowsOf("deid-code-meanings.tsv").length} from the program's own list, else the code value; the sender's go`,
    ],
  ],
)}

Of structured content, items stay by concept and value type (table E.3.4-1): numbers, public codes, references and coordinates; text as above;
names never, nor birthdays and ages over 89. Dates move by whole days per patient, at most ${loadProfile("research").pseudonyms.dateShift.days} unless the profile says otherwise; times stay. Graphics keep lines and lose text;
overlays go.`;
}

function privateElements(): string {
  const kept = compilePrivateRules(new Set<OptionName>(["retain-safe-private"]));
  const rows = Object.entries(SAFE_PRIVATE).map(([creator, list]): Row => {
    const all = list.split(",").map((entry) => entry.split(" ", 1)[0] ?? "");
    const numeric = all.filter((key) => {
      const [group, lowByte] = [key.slice(0, 4), key.slice(4)].map((part) => Number.parseInt(part, 16));
      return kept.ruleOf(group ?? 0, creator, lowByte ?? 0) !== undefined;
    });
    return [creator, String(all.length), String(numeric.length)];
  });
  return `#### 10.4.3 Private elements

Private elements go, but with \`retain-safe-private\` those of PS3.15 table E.3.10-1 (\`data/deid-safe-private.tsv\`) that hold numbers, UIDs or sequences
of such; they are known by creator, never by number. Text, terms and bulk of the table go. A profile may name more, by creator and VR.

${table(["private creator", "elements of the table", "kept"], rows)}`;
}

function uids(): string {
  return `#### 10.4.4 Scope of replaced UIDs

Every UID is replaced by \`2.25.\` and the first 128 bits, as a decimal number, of HMAC-SHA-256 over the UID with the project's key: in every attribute of
VR UI, at every depth, also private ones that stay. UIDs below 1.2.840.10008 stay. References stay whole between objects, studies, runs
and hosts of one project; two projects share no UID. With \`retain-uids\` the UIDs of its column stay.`;
}

const PIXEL_ACTIONS: Readonly<Record<PixelClassKind, string>> = {
  pass: "pass",
  "needs-flag": "pass with Burned In Annotation NO, or by a sign-off in the profile (`pixels.allow_absent`)",
  "needs-mask": "rejected, but behind a mask that fits or where the profile allows the group",
  video: "left out",
  "no-pixels": "pass without pixel data",
  pdf: "left out, or replaced by an empty page (`documents: replace`)",
  document: "left out",
};

function pixels(): string {
  const byGroup = new Map<string, { readonly kind: PixelClassKind; readonly names: string[] }>();
  const names = new Map(Object.entries(storageSopClasses).map(([keyword, uid]): [string, string] => [uid, keyword]));
  for (const [uid, { kind, group }] of PIXEL_CLASSES) {
    const entry = byGroup.get(`${kind} ${group}`) ?? { kind, names: [] };
    entry.names.push(names.get(uid) ?? uid);
    byGroup.set(`${kind} ${group}`, entry);
  }
  const rows = [...byGroup].map(
    ([key, entry]): Row => [key.split(" ")[1] ?? "", PIXEL_ACTIONS[entry.kind], entry.names.join(", ")],
  );
  return `#### 10.4.5 Pixels

${table(["group", "by default", "SOP classes"], rows)}

Other and private SOP classes are rejected. Whatever the class, an object that says it is burned in or shows recognizable features stays behind, but
where a mask covers what is burned in. Masks are carried out in uncompressed and RLE images, and in others through a codec that the site names.`;
}

/** Data files that the tables are made from, each with the origin it states. */
const SOURCES: readonly string[] = [
  "deid-table.tsv",
  "deid-sr-table.tsv",
  "deid-safe-private.tsv",
  "deid-safe-sequences.tsv",
  "deid-defined-terms.tsv",
  "deid-iod-types.tsv",
  "deid-code-meanings.tsv",
  "deid-vocabulary-base-en.tsv",
  "deid-vocabulary-groups-en.tsv",
  "deid-structure-words-en.tsv",
];

function sources(): string {
  const rows = SOURCES.map((name): Row => {
    const [origin = ""] = linesOf(name);
    return [`\`data/${name}\``, String(rowsOf(name).length), origin.replace(/^# /, "").replace(/: [0-9]+ rows$/, "")];
  });
  return `#### 10.4.6 Origin of the tables

${table(["file", "rows", "origin"], rows)}`;
}

function linesOf(name: string): readonly string[] {
  return readFileSync(new URL(`../data/${name}`, import.meta.url), "utf8")
    .trimEnd()
    .split("\n");
}

/** Without the line of the origin and that of the columns. */
function rowsOf(name: string): readonly string[] {
  return linesOf(name).slice(2);
}
