import { createHash } from "node:crypto";
import { tags } from "../../../src/dicom/dictionary/tags.ts";
import { bytesSource, readPart10 } from "../../../src/dicom/reader.ts";
import { textOf, uidOf } from "../../../src/dicom/values.ts";
import {
  type Experiment,
  type Holder,
  type PrearchiveSession,
  type Project,
  resourceOf,
  type Scan,
  stamp,
  storedFile,
  type XnatState,
} from "./state.ts";

/** What an object says of itself, as a receiver looks at it. */
export interface ArrivedObject {
  readonly bytes: Buffer;
  readonly studyInstanceUid: string;
  readonly seriesInstanceUid: string;
  readonly seriesNumber: string;
  readonly seriesDescription: string;
  readonly modality: string;
  readonly patientId: string;
  readonly accessionNumber: string;
  readonly date: string;
  /** As this site's template names files. */
  readonly fileName: string;
}

/** Undefined: no DICOM. */
export async function lookAtObject(bytes: Buffer): Promise<ArrivedObject | undefined> {
  try {
    const { dataSet, preamble } = await readPart10(bytesSource(bytes));
    const studyInstanceUid = uidOf(dataSet, tags.StudyInstanceUID);
    const sopInstanceUid = uidOf(dataSet, tags.SOPInstanceUID);
    if (preamble === undefined || studyInstanceUid === undefined || sopInstanceUid === undefined) return undefined;
    const text = (tag: typeof tags.StudyDate): string => (textOf(dataSet, tag) ?? "").trim();
    const hash = createHash("sha1").update(sopInstanceUid).digest("hex").slice(0, 6);
    const seriesNumber = text(tags.SeriesNumber) || "1";
    return {
      bytes,
      studyInstanceUid,
      seriesInstanceUid: uidOf(dataSet, tags.SeriesInstanceUID) ?? "",
      seriesNumber,
      seriesDescription: text(tags.SeriesDescription),
      modality: text(tags.Modality),
      patientId: text(tags.PatientID),
      accessionNumber: text(tags.AccessionNumber),
      date: text(tags.StudyDate).replace(/^(\d{4})(\d\d)(\d\d)$/, "$1-$2-$3"),
      fileName: `${studyInstanceUid}-${seriesNumber}-${text(tags.InstanceNumber) || "1"}-${hash}.dcm`,
    };
  } catch {
    return undefined;
  }
}

/** Types of the objects' modalities; the rest is other DICOM. */
const TYPES: ReadonlyMap<string, string> = new Map([
  ["CT", "ct"],
  ["MR", "mr"],
  ["PT", "pet"],
  ["DX", "dx"],
  ["CR", "cr"],
  ["US", "us"],
]);

function sessionTypeOf(modality: string): string {
  return `xnat:${TYPES.get(modality) ?? "otherDicom"}SessionData`;
}

function scanTypeOf(modality: string): string {
  return `xnat:${TYPES.get(modality) ?? "otherDicom"}ScanData`;
}

/** Puts an object into its scan. @returns false when a file of that name is there and stays */
export function keepObject(
  holder: Holder,
  object: ArrivedObject,
  { name, overwrite, state }: { readonly name: string; readonly overwrite: boolean; readonly state: XnatState },
): boolean {
  const { files } = resourceOf(scanFor(holder, object), "DICOM", state);
  if (files.has(name) && !overwrite) return false;
  files.set(name, storedFile(object.bytes));
  return true;
}

function scanFor(holder: Holder, { seriesInstanceUid: uid, ...object }: ArrivedObject): Scan {
  const existing = [...holder.scans.values()].find((scan) => scan.uid === uid);
  if (existing !== undefined) return existing;
  const { seriesNumber, modality, seriesDescription } = object;
  const id = holder.scans.has(seriesNumber) ? `${seriesNumber}-${modality}${holder.scans.size}` : seriesNumber;
  const scan = { id, xsiType: scanTypeOf(modality), uid, modality, seriesDescription, resources: new Map() };
  holder.scans.set(id, scan);
  return scan;
}

/** Characters that labels may not have become underscores. */
export function asLabel(text: string): string {
  return text.trim().replaceAll(/[^A-Za-z0-9_-]/g, "_") || "unknown";
}

/** The session of that label in the archive, with its subject, made when there is none. */
export function archiveSession(
  state: XnatState,
  project: Project,
  facts: Pick<Experiment, "label" | "subject" | "uid" | "date" | "xsiType">,
): Experiment {
  const existing = [...project.experiments.values()].find(({ label }) => label === facts.label);
  if (existing !== undefined) return existing;
  const subject = subjectOf(state, project, facts.subject);
  const experiment: Experiment = {
    id: `XNAT_E${String(state.nextId()).padStart(5, "0")}`,
    label: facts.label,
    project: project.id,
    subject: subject.label,
    xsiType: facts.xsiType,
    uid: facts.uid,
    date: facts.date,
    insertDate: stamp(Date.now()),
    scans: new Map(),
    resources: new Map(),
    assessors: new Map(),
  };
  project.experiments.set(experiment.id, experiment);
  return experiment;
}

export function subjectOf(state: XnatState, project: Project, label: string) {
  const existing = project.subjects.get(label);
  if (existing !== undefined) return existing;
  const id = `XNAT_S${String(state.nextId()).padStart(5, "0")}`;
  const subject = { id, label, insertDate: stamp(Date.now()) };
  project.subjects.set(label, subject);
  return subject;
}

/** Moves what has arrived into the archive; what is there already stays unless it may be replaced. */
export function archiveHolder(
  state: XnatState,
  project: Project,
  from: Pick<PrearchiveSession, "name" | "subject" | "tag" | "scans">,
  overwrite: boolean,
): Experiment {
  const [scan] = from.scans.values();
  const experiment = archiveSession(state, project, {
    label: from.name,
    subject: from.subject,
    uid: from.tag,
    date: "",
    xsiType: sessionTypeOf(scan?.modality ?? ""),
  });
  for (const [id, scan] of from.scans) {
    const same = [...experiment.scans.values()].find(({ uid }) => uid === scan.uid);
    if (same === undefined) {
      const free = experiment.scans.has(id) ? `${id}-${scan.modality}${experiment.scans.size}` : id;
      experiment.scans.set(free, { ...scan, id: free });
      continue;
    }
    for (const [label, resource] of scan.resources) {
      const { files } = resourceOf(same, label, state);
      for (const [name, file] of resource.files) if (overwrite || !files.has(name)) files.set(name, file);
    }
  }
  return experiment;
}

/** Folder names of the prearchive. */
export function prearchiveTimestamp(state: XnatState): string {
  const ms = String(state.nextId()).padStart(9, "0");
  return `20240101_${ms.slice(0, 6)}${ms.slice(6)}`;
}
