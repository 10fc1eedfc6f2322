import { readdir, readFile } from "node:fs/promises";
import { join, relative } from "node:path";
import { loadProfile } from "../../../../src/deid/profiles/load-profile.ts";
import { projectKeyOf } from "../../../../src/deid/pseudonyms/project-key.ts";
import { deidentifyFolder, type FolderResult, type FolderTask } from "../../../../src/deid/run-folder.ts";
import type { StudyReportDocument } from "../../../../src/deid/study-report.ts";
import { ctImage, part10Bytes, put, text } from "../../../../src/deid/testing/objects.ts";
import type { DataElement, DataSet } from "../../../../src/dicom/data-set.ts";
import { bytesSource, readPart10 } from "../../../../src/dicom/reader.ts";
import { neverAborted } from "../../../../src/units/abort.ts";
import { temporaryFolder } from "../../../support/temporary-folder.ts";
import type { Tokens } from "./tokens.ts";

/** Identifiers that the objects of one study share. */
export interface StudyIdentity {
  readonly patientName: string;
  readonly patientId: string;
  readonly accessionNumber: string;
  readonly studyInstanceUid: string;
  readonly seriesInstanceUid: string;
  readonly frameOfReferenceUid: string;
}

export function studyIdentity(tokens: Tokens, of: Partial<StudyIdentity> = {}): StudyIdentity {
  return {
    patientName: `${tokens.text()}^${tokens.text()}`,
    patientId: tokens.text(),
    accessionNumber: tokens.text(),
    studyInstanceUid: tokens.uid(),
    seriesInstanceUid: tokens.uid(),
    frameOfReferenceUid: tokens.uid(),
    ...of,
  };
}

/** Elements that make any object one of this study. */
export function identityElements(of: StudyIdentity): readonly DataElement[] {
  return [
    text(0x00100010, of.patientName),
    text(0x00100020, of.patientId),
    text(0x00080050, of.accessionNumber),
    text(0x0020000d, of.studyInstanceUid),
    text(0x0020000e, of.seriesInstanceUid),
    text(0x00200052, of.frameOfReferenceUid),
  ];
}

/** The n-th CT image of a study; its number is told by Instance Number before and after. */
export function slice(
  of: StudyIdentity,
  number: number,
  tokens: Tokens,
  changes: readonly DataElement[] = [],
): DataSet {
  const own = [
    ...identityElements(of),
    text(0x00080018, tokens.uid()),
    text(0x00200013, String(number)),
    // A physician and a serial number are of this object alone.
    text(0x00080090, `${tokens.text()}^${tokens.text()}`),
    text(0x00181000, tokens.text()),
  ];
  const changed = new Set(changes.map(({ tag }) => tag));
  return ctImage([...own.filter(({ tag }) => !changed.has(tag)), ...changes]);
}

/** A file of the output. */
export interface OutputFile {
  /** From the output folder. */
  readonly name: string;
  readonly bytes: Buffer;
  readonly dataSet: DataSet;
}

/** What a report says of its folder. */
interface WrittenReport {
  readonly pseudonym: string;
  readonly studyInstanceUid: string;
  readonly files: readonly { readonly path: string; readonly sha256: string }[];
}

export interface RunOutput {
  readonly result: FolderResult;
  readonly files: readonly OutputFile[];
  readonly reports: readonly (StudyReportDocument & WrittenReport)[];
  /** The output with everything in it, by name: what a copy of the folder would hold. */
  readonly contents: ReadonlyMap<string, Buffer>;
}

export interface RunOptions extends Partial<Omit<FolderTask, "profile" | "key" | "input" | "output">> {
  /** A shipped one, or the path of a file. */
  readonly profile: string;
  /** Each byte of the project's key; projects with different ones have different keys. */
  readonly keyByte?: number;
}

/** De-identifies a folder that holds these objects, each under a name of its own. */
export async function deidentified(objects: readonly DataSet[], options: RunOptions): Promise<RunOutput> {
  const files = objects.map(async (dataSet, index) => [`object-${index}`, await part10Bytes(dataSet)] as const);
  return await deidentifiedFiles(new Map(await Promise.all(files)), options);
}

export async function deidentifiedFiles(
  files: ReadonlyMap<string, Uint8Array>,
  { profile, keyByte = 33, ...task }: RunOptions,
): Promise<RunOutput> {
  await using folder = await temporaryFolder();
  for (const [name, bytes] of files) await put(join(folder.path, "in", name), bytes);
  const result = await deidentifyFolder({
    filters: {},
    project: "trial",
    // A few small files are done before a thread has started.
    threads: 0,
    signal: neverAborted(),
    ...task,
    profile: loadProfile(profile),
    key: projectKeyOf(Buffer.alloc(32, keyByte)),
    input: join(folder.path, "in"),
    output: join(folder.path, "out"),
  });
  return { result, ...(await readOutput(join(folder.path, "out"))) };
}

/** Everything below an output folder. */
export async function readOutput(path: string): Promise<Omit<RunOutput, "result">> {
  const entries = await readdir(path, { recursive: true, withFileTypes: true });
  const paths = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  const contents = new Map<string, Buffer>();
  for (const each of paths.sort()) contents.set(relative(path, each), await readFile(each));
  const files: OutputFile[] = [];
  for (const [name, bytes] of contents) {
    if (!name.endsWith(".dcm")) continue;
    const { dataSet } = await readPart10(bytesSource(bytes));
    files.push({ name, bytes, dataSet });
  }
  const reports = [...contents].filter(([name]) => name.endsWith(".json"));
  return { files, contents, reports: reports.map(([, bytes]) => JSON.parse(bytes.toString())) };
}
