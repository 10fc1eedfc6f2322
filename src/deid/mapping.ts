import { access, chmod, realpath, rm, stat } from "node:fs/promises";
import { join, sep } from "node:path";
import type { DataSet, Part10File } from "../dicom/data-set.ts";
import { isRegisteredUid } from "../dicom/dictionary/registered-uids.ts";
import { tags } from "../dicom/dictionary/tags.ts";
import { readPart10File } from "../dicom/reader.ts";
import type { Tag } from "../dicom/tag.ts";
import { textOf, textsOf, uidOf } from "../dicom/values.ts";
import { GatewayError } from "../errors/gateway-error.ts";
import { systemCodeOf, writeFileDurably } from "../units/durable-files.ts";
import { makeFolders } from "../units/make-folders.ts";
import type { DeidentifierOptions } from "./deidentifier.ts";
import { filesBelow } from "./folder-inputs.ts";
import type { Profile } from "./profiles/profile.ts";
import { createPseudonymizer, type Pseudonymizer } from "./pseudonyms/pseudonymizer.ts";
import type { CompiledRules } from "./rules/compiled-rules.ts";

/** What a run over a folder did, and where its mapping goes. */
export interface MappingTask
  extends Pick<DeidentifierOptions, "profile" | "key" | "pseudonymPrefix" | "lookup" | "pixl"> {
  readonly input: string;
  /** As the run left it: only instances that are there are mapped. */
  readonly output: string;
  readonly project: string;
  /** Made when missing, for its owner alone. */
  readonly folder: string;
  readonly signal: AbortSignal;
}

export interface MappingResult {
  readonly uids: number;
  readonly patients: number;
}

/** Entries of a file: a project's worth, not a hospital's. */
const ENTRY_LIMIT = 2_000_000;
const DEPTH_LIMIT = 64;
const OWNER_ONLY = 0o700;
const OTHERS = 0o077;
const HEADER = "id_old,id_new\n";
const NEEDS_QUOTES = /[",\r\n]/;

/**
 * Writes `uids.csv` and `patients.csv`, each `id_old,id_new`, of the instances that were let out: for whoever scores a profile against known
 * originals. They undo the de-identification of everything they name.
 * @throws GatewayError MAPPING_FOLDER_UNSAFE, MAPPING_TOO_LARGE, DEID_TOO_MANY_FILES, PSEUDONYM_SOURCE_MISSING; the signal's reason; errors
 * of the disk as they are
 */
export async function exportMapping(task: MappingTask): Promise<MappingResult> {
  await prepareMappingFolder(task);
  const { profile, key, pseudonymPrefix, lookup, pixl } = task;
  const settings = profile.pseudonyms;
  const pseudonymizer = createPseudonymizer(key, { prefix: pseudonymPrefix, settings, lookup, pixl });
  const uids = new Map<string, string>();
  const patients = new Map<string, string>();
  const { files } = await filesBelow(task.input, task.signal);
  for (const { path } of files) {
    task.signal.throwIfAborted();
    // The run has told of what cannot be read.
    const file = await readPart10File(path).catch((thrown: unknown) => {
      if (thrown instanceof GatewayError || systemCodeOf(thrown) !== undefined) return undefined;
      throw thrown;
    });
    if (file === undefined) continue;
    await using open = file;
    await mapInstance(open, task, pseudonymizer, uids, patients);
    if (uids.size > ENTRY_LIMIT || patients.size > ENTRY_LIMIT)
      throw new GatewayError("MAPPING_TOO_LARGE", { limit: ENTRY_LIMIT });
  }
  await writeFileDurably(join(task.folder, "uids.csv"), csv(uids));
  await writeFileDurably(join(task.folder, "patients.csv"), csv(patients));
  return { uids: uids.size, patients: patients.size };
}

/**
 * A folder for the mapping that nobody else can look into, apart from what is delivered and from what was received.
 * @throws GatewayError MAPPING_FOLDER_UNSAFE
 */
export async function prepareMappingFolder({
  input,
  output,
  folder,
}: Pick<MappingTask, "input" | "output" | "folder">): Promise<void> {
  const made = await makeFolders(folder, { mode: OWNER_ONLY });
  // Whatever the umask says.
  if (made !== undefined) await chmod(folder, OWNER_ONLY);
  const reason = await whatIsUnsafe(folder, [input, output]);
  if (reason === undefined) return;
  if (made !== undefined) await rm(made, { recursive: true });
  throw new GatewayError("MAPPING_FOLDER_UNSAFE", { reason });
}

async function whatIsUnsafe(folder: string, others: readonly string[]): Promise<string | undefined> {
  if (((await stat(folder)).mode & OTHERS) !== 0) return "readable-by-others";
  const own = await realpath(folder);
  const paths = await Promise.all(others.map((path) => realpath(path).catch(() => path)));
  const holds = (outer: string, path: string): boolean => path === outer || path.startsWith(outer + sep);
  return paths.some((path) => holds(path, own) || holds(own, path)) ? "inside-another-folder" : undefined;
}

async function mapInstance(
  { dataSet }: Part10File,
  task: MappingTask,
  pseudonymizer: Pseudonymizer,
  uids: Map<string, string>,
  patients: Map<string, string>,
): Promise<void> {
  const [study, series, instance] = [tags.StudyInstanceUID, tags.SeriesInstanceUID, tags.SOPInstanceUID].map(
    (tag) => uidOf(dataSet, tag) ?? "",
  );
  if (study === undefined || series === undefined || instance === undefined || study === "") return;
  const patientId = textOf(dataSet, tags.PatientID) ?? "";
  const { patient, uid } = pseudonymizer.ofStudy({
    patientId,
    issuer: textOf(dataSet, tags.IssuerOfPatientID),
    studyInstanceUid: study,
    accessionNumber: textOf(dataSet, tags.AccessionNumber),
  });
  const rules = rulesFor(task.profile, dataSet);
  const place = (tag: Tag, original: string): string => (isReplaced(rules, tag) ? uid(original) : original);
  const path = join(
    task.output,
    task.project,
    patient,
    place(tags.StudyInstanceUID, study),
    place(tags.SeriesInstanceUID, series),
    `${place(tags.SOPInstanceUID, instance)}.dcm`,
  );
  if (!(await isThere(path))) return;
  if (patientId !== "") patients.set(patientId, patient);
  collectUids(dataSet, rules, uid, uids);
}

/** Those of the object's own device. */
function rulesFor(profile: Profile, dataSet: DataSet): CompiledRules {
  return profile.rulesFor({
    manufacturer: textOf(dataSet, tags.Manufacturer) ?? "",
    model: textOf(dataSet, tags.ManufacturerModelName) ?? "",
    software: textsOf(dataSet, tags.SoftwareVersions).join("\\"),
  });
}

function isReplaced(rules: CompiledRules, tag: Tag, within: readonly number[] = []): boolean {
  return rules.ruleOf(tag, within).treatment.kind === "uid";
}

/** Every UID that has a new one, at every depth. */
function collectUids(
  dataSet: DataSet,
  rules: CompiledRules,
  uid: (original: string) => string,
  uids: Map<string, string>,
): void {
  const open: { readonly items: DataSet; readonly within: readonly number[] }[] = [{ items: dataSet, within: [] }];
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    const { items, within } = next;
    for (const { tag, vr, value } of items.values()) {
      if (value.kind === "sequence" && within.length < DEPTH_LIMIT)
        for (const item of value.items) open.push({ items: item.dataSet, within: [...within, tag] });
      if (vr !== "UI" || !isReplaced(rules, tag, within)) continue;
      for (const original of textsOf(items, tag)) {
        if (original !== "" && !isRegisteredUid(original)) uids.set(original, uid(original));
      }
    }
  }
}

function csv(entries: ReadonlyMap<string, string>): string {
  const rows = [...entries].sort(([a], [b]) => (a < b ? -1 : 1)).map((row) => `${row.map(cell).join(",")}\n`);
  return HEADER + rows.join("");
}

/** RFC 4180. */
function cell(text: string): string {
  return NEEDS_QUOTES.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

function isThere(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
