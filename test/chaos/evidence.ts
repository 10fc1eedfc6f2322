import { createHash } from "node:crypto";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { tags } from "../../src/dicom/dictionary/tags.ts";
import { bytesSource, readPart10 } from "../../src/dicom/reader.ts";
import { textOf } from "../../src/dicom/values.ts";
import type { LedgerEntry } from "../../src/store/records.ts";
import type { OrthancServer } from "../peers/orthanc.ts";
import type { SyntheticStudy } from "../peers/synthetic-studies.ts";

/** What a destination holds of one study. */
export interface Held {
  /** Part 10 files. */
  readonly files: readonly Buffer[];
  /** Names of what should not be left behind: pieces of files. */
  readonly leftovers: readonly string[];
  /** The destination writes a file header of its own. */
  readonly hasOwnHeader?: true;
}

/** Below a folder; of an object store's folder of this machine too, whose objects are files beside files of facts. */
export async function heldInFolder(folder: string, project: string): Promise<Held> {
  const all = await readdir(folder, { recursive: true }).catch(() => []);
  const names = all.filter((name) => name.includes(project) || name.includes(".part"));
  const isFile = (name: string): boolean => /\.dcm(?:\._S3rver_object)?$/.test(name);
  return {
    files: await Promise.all(names.filter(isFile).map((name) => readFile(join(folder, name)))),
    leftovers: names.filter((name) => name.includes(project) && /\.part|\.tmp|\.radferry\/./.test(name)),
  };
}

/** What an Orthanc holds of the instances that a ledger names. */
export async function heldInOrthanc({ httpPort }: OrthancServer, ledger: readonly LedgerEntry[]): Promise<Held> {
  const url = `http://127.0.0.1:${httpPort}`;
  const files: Buffer[] = [];
  for (const { pseudoSopInstanceUid = "" } of ledger) {
    const body = JSON.stringify({ Level: "Instance", Query: { SOPInstanceUID: pseudoSopInstanceUid } });
    const ids = (await (await fetch(`${url}/tools/find`, { method: "POST", body })).json()) as readonly string[];
    for (const id of ids) files.push(Buffer.from(await (await fetch(`${url}/instances/${id}/file`)).arrayBuffer()));
  }
  return { files, leftovers: [] };
}

export interface Evidence {
  /** What is not as it should be; empty when all is. */
  readonly problems: readonly string[];
  /** Whether the pixels of an instance are not those that the archive had. */
  readonly isDamaged: boolean;
}

/** Holds what is at a destination against the ledger, and against what the archive had. */
export async function examine(held: Held, ledger: readonly LedgerEntry[], study: SyntheticStudy): Promise<Evidence> {
  const problems = held.leftovers.map((name) => `left behind: ${name}`);
  const wanted = sorted(ledger.map(({ pseudoSopInstanceUid = "none" }) => pseudoSopInstanceUid));
  const uids = await Promise.all(held.files.map(uidOfFile));
  if (`${sorted(uids)}` !== `${wanted}`)
    problems.push(`${uids.length} instances there, ${wanted.length} in the ledger`);
  if (ledger.length !== study.instances.length) problems.push(`the ledger has ${ledger.length} instances`);
  const isDamaged = !study.instances.every((instance) => held.files.some((file) => file.includes(pixelsOf(instance))));
  const sums = sorted(held.files.map((file) => createHash("sha256").update(file).digest("hex")));
  const isOther = `${sums}` !== `${sorted(ledger.map(({ sha256 = "" }) => sha256))}`;
  if (isOther && !held.hasOwnHeader && !isDamaged) problems.push("other bytes than the ledger has");
  return { problems, isDamaged };
}

/** De-identification leaves them as they are, at the end of the file. */
const PIXEL_BYTES = 128 * 128 * 2;

function pixelsOf({ bytes }: SyntheticStudy["instances"][number]): Buffer {
  return bytes.subarray(-PIXEL_BYTES);
}

async function uidOfFile(file: Buffer): Promise<string> {
  const { dataSet } = await readPart10(bytesSource(file));
  return textOf(dataSet, tags.SOPInstanceUID) ?? "none";
}

function sorted(values: readonly string[]): readonly string[] {
  return [...values].sort();
}
