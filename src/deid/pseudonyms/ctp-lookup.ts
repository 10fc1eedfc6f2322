import { GatewayError } from "../../errors/gateway-error.ts";
import { LOOKUP_KINDS, type LookupKind } from "./lookup-rows.ts";
import { lookupTableOf } from "./lookup-table.ts";

/** An entry of a lookup table of CTP's DicomAnonymizer: `pid/123456 = SUBJ-1`. */
export interface CtpEntry {
  /** Line of the file, from 1. */
  readonly line: number;
  /** What stands before the slash, lower-case; each site names its own. */
  readonly keyType: string;
  readonly original: string;
  readonly replacement: string;
}

/** What is wrong with a line; the line itself is never shown. */
export interface CtpProblem {
  readonly line: number;
  readonly problem: string;
}

export interface CtpImport {
  readonly rows: readonly { readonly kind: LookupKind; readonly original: string; readonly replacement: string }[];
  readonly problems: readonly CtpProblem[];
  /** Entries of key types that were left out on purpose. */
  readonly leftOut: number;
}

export interface CtpImportOptions {
  /** Kinds by key type, over the usual ones; undefined: entries of this type are left out. */
  readonly kinds?: ReadonlyMap<string, LookupKind | undefined>;
  /** Several patients may become one. */
  readonly merge: boolean;
}

/** Key types that sites mostly use; what else there is has to be told. */
const USUAL_KINDS: ReadonlyMap<string, LookupKind> = new Map([
  ...["pid", "ptid", "patientid", "patient", "id"].map((type) => [type, "patient"] as const),
  ...["acc", "an", "accession", "accessionnumber"].map((type) => [type, "accession"] as const),
  ...["suid", "studyuid", "studyinstanceuid"].map((type) => [type, "study"] as const),
]);

const ENTRIES_LIMIT = 200_000;
const ESCAPES: Readonly<Record<string, string>> = { t: "\t", n: "\n", r: "\r", f: "\f" };

/**
 * Reads a lookup table as CTP keeps it (a Java properties file) or as its editor takes it (CSV of `type/original,replacement`), and turns it into rows of
 * ours. Every line that cannot be used is told.
 * @throws GatewayError LOOKUP_TABLE_UNREADABLE when there are too many entries
 */
export function importCtpLookup(text: string, { kinds = new Map(), merge }: CtpImportOptions): CtpImport {
  const entries = isCsv(text) ? csvEntries(text) : propertiesEntries(text);
  if (entries.length > ENTRIES_LIMIT) throw new GatewayError("LOOKUP_TABLE_UNREADABLE", { reason: "too-large" });
  const problems: CtpProblem[] = [];
  const rows: { kind: LookupKind; original: string; replacement: string }[] = [];
  const replacements = new Map<string, string>();
  const originals = new Map<string, string>();
  let leftOut = 0;
  for (const entry of entries) {
    const { line, keyType, original, replacement } = entry;
    const kind = kinds.has(keyType) ? kinds.get(keyType) : USUAL_KINDS.get(keyType);
    if (kind === undefined && kinds.has(keyType)) {
      leftOut += 1;
      continue;
    }
    const problem = kind === undefined ? "key-type-unknown" : problemOf(kind, entry);
    if (kind === undefined || problem !== undefined) {
      problems.push({ line, problem: problem ?? "key-type-unknown" });
      continue;
    }
    const known = replacements.get(`${kind} ${original}`);
    if (known === replacement) continue;
    const other = originals.get(`${kind} ${replacement}`);
    if (known !== undefined) problems.push({ line, problem: "original-twice" });
    else if (other !== undefined && !(merge && kind === "patient"))
      problems.push({ line, problem: "replacement-twice" });
    else rows.push({ kind, original, replacement });
    replacements.set(`${kind} ${original}`, known ?? replacement);
    originals.set(`${kind} ${replacement}`, original);
  }
  return { rows, problems, leftOut };
}

export function isLookupKind(text: string): text is LookupKind {
  return LOOKUP_KINDS.some((kind) => kind === text);
}

/** By the rules of our own tables, one row at a time. */
function problemOf(kind: LookupKind, { original, replacement }: CtpEntry): string | undefined {
  const quoted = [kind, original, replacement].map((cell) => `"${cell.replaceAll('"', '""')}"`).join(",");
  try {
    lookupTableOf(`kind,original,replacement\n${quoted}\n`, { project: "", merge: false });
    return undefined;
  } catch (thrown) {
    if (!(thrown instanceof GatewayError)) throw thrown;
    const { problem } = thrown.details;
    return typeof problem === "string" ? problem : "columns";
  }
}

/** Every line that says something has a comma, and no equals sign before it. */
function isCsv(text: string): boolean {
  const lines = text.split(/\r?\n|\r/).filter((line) => line.trim() !== "" && !/^\s*[#!]/.test(line));
  return lines.length > 0 && lines.every((line) => /^[^=]*,/.test(line));
}

function csvEntries(text: string): readonly CtpEntry[] {
  return text.split(/\r?\n|\r/).flatMap((written, index) => {
    const [key = "", replacement = ""] = written.split(",").map((cell) => cell.trim().replace(/^"(.*)"$/, "$1"));
    return written.trim() === "" || /^\s*#/.test(written) ? [] : [entryOf(index + 1, key, replacement)];
  });
}

/** As java.util.Properties.load reads them: comments, lines that go on, separators and escapes. */
function propertiesEntries(text: string): readonly CtpEntry[] {
  const entries: CtpEntry[] = [];
  let whole = "";
  let begun = 0;
  for (const [index, written] of text.split(/\r\n|\r|\n/).entries()) {
    const line = written.replace(/^[ \t\f]+/, "");
    if (whole === "" && (line === "" || /^[#!]/.test(line))) continue;
    if (whole === "") begun = index + 1;
    if (/(?<!\\)(?:\\\\)*\\$/.test(line)) {
      whole += line.slice(0, -1);
      continue;
    }
    entries.push(entryOf(begun, ...divided(whole + line)));
    whole = "";
  }
  // Behind the last line there is none that it could go on with.
  return whole === "" ? entries : [...entries, entryOf(begun, ...divided(whole))];
}

/** At the first equals sign, colon or blank that is not escaped. */
function divided(line: string): readonly [string, string] {
  const { 1: key = "", 2: value = "" } = /^((?:\\.|[^\\=: \t\f])*)[ \t\f]*[=:]?[ \t\f]*(.*)$/s.exec(line) ?? [];
  return [unescaped(key), unescaped(value)];
}

function unescaped(text: string): string {
  return text.replace(/\\(?:u([0-9A-Fa-f]{4})|(.))/gs, (_, code: string | undefined, letter: string | undefined) =>
    code === undefined ? (ESCAPES[letter ?? ""] ?? letter ?? "") : String.fromCharCode(Number.parseInt(code, 16)),
  );
}

function entryOf(line: number, key: string, replacement: string): CtpEntry {
  const slash = key.indexOf("/");
  const [keyType, original] = slash < 0 ? ["", key] : [key.slice(0, slash), key.slice(slash + 1)];
  return { line, keyType: keyType.trim().toLowerCase(), original: original.trim(), replacement: replacement.trim() };
}
