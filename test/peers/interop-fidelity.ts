import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import type { DataElement, DataSet } from "../../src/dicom/data-set.ts";
import { tags } from "../../src/dicom/dictionary/tags.ts";
import { EXPLICIT_VR_LITTLE_ENDIAN, transferSyntaxOf } from "../../src/dicom/dictionary/transfer-syntaxes.ts";
import { bytesSource, readPart10 } from "../../src/dicom/reader.ts";
import { uidOf } from "../../src/dicom/values.ts";
import { encodeFileMeta, writeDataSet } from "../../src/dicom/writer.ts";
import type { StoreHandler } from "../../src/network/dimse/service-types.ts";
import type { InteropObject } from "./interop-objects.ts";

/** An object as its receiver has it. */
export interface ReceivedObject {
  readonly transferSyntaxUid: string;
  /** Its data set. */
  readonly bytes: Buffer;
}

/** Received objects by SOP Instance UID. */
export type ReceivedObjects = ReadonlyMap<string, ReceivedObject>;

/**
 * How an object came through.
 * - `bytes`: byte for byte.
 * - `data set`: encoded anew, with other lengths of sequences, say, but the same elements and values.
 * - `converted`: the same elements and values in another transfer syntax.
 */
export type Fidelity = "bytes" | "data set" | "converted" | "altered" | "missing";

/** The fidelity of each object, by its name. */
export async function fidelities(
  objects: readonly InteropObject[],
  received: ReceivedObjects,
): Promise<Readonly<Record<string, Fidelity>>> {
  const entries = objects.map(async (object) => {
    return [object.name, await fidelityOf(object, received.get(object.sopInstanceUid))] as const;
  });
  return Object.fromEntries(await Promise.all(entries));
}

/** What `fidelities` gives when all came through alike, but for the exceptions. */
export function all(
  objects: readonly InteropObject[],
  usual: Fidelity,
  exceptions: Readonly<Record<string, Fidelity>> = {},
): Readonly<Record<string, Fidelity>> {
  return { ...Object.fromEntries(objects.map(({ name }) => [name, usual])), ...exceptions };
}

async function fidelityOf(sent: InteropObject, received: ReceivedObject | undefined): Promise<Fidelity> {
  if (received === undefined) return "missing";
  const isSameSyntax = received.transferSyntaxUid === sent.transferSyntaxUid;
  if (isSameSyntax && received.bytes.equals(sent.bytes)) return "bytes";
  const [before, after] = [await canonicalForm(sent), await canonicalForm(received)];
  if (!before.equals(after)) return "altered";
  return isSameSyntax ? "data set" : "converted";
}

/** The data set in explicit VR little endian, all lengths defined, without group lengths; encapsulated pixel data as it is. */
async function canonicalForm({ transferSyntaxUid, bytes }: ReceivedObject): Promise<Buffer> {
  const meta = encodeFileMeta({ sopClassUid: "1.2", sopInstanceUid: "1.2", transferSyntaxUid });
  const { dataSet, source } = await readPart10(bytesSource(Buffer.concat([meta, bytes])));
  const chunks: Uint8Array[] = [];
  const sink = { write: (chunk: Uint8Array) => void chunks.push(chunk) };
  const options = { sourceLittleEndian: transferSyntaxOf(transferSyntaxUid).littleEndian };
  await writeDataSet(sink, withDefinedLengths(dataSet), EXPLICIT_VR_LITTLE_ENDIAN, source, options);
  return Buffer.concat(chunks);
}

function withDefinedLengths(dataSet: DataSet): DataSet {
  const elements = [...dataSet.values()].filter(({ tag }) => (tag & 0xffff) !== 0);
  return new Map(elements.map((element) => [element.tag, withDefinedLength(element)]));
}

function withDefinedLength(element: DataElement): DataElement {
  if (element.value.kind !== "sequence") return element;
  const items = element.value.items.map((item) => ({
    dataSet: withDefinedLengths(item.dataSet),
    undefinedLength: false,
  }));
  return { ...element, undefinedLength: false, value: { kind: "sequence", items } };
}

/** A storage SCP's handler that keeps everything in memory. */
export function recordingStore(): { readonly received: Map<string, ReceivedObject>; readonly handler: StoreHandler } {
  const received = new Map<string, ReceivedObject>();
  const handler: StoreHandler = async ({ sopInstanceUid, transferSyntaxUid }) => {
    const chunks: Uint8Array[] = [];
    return {
      write: (chunk) => {
        chunks.push(Buffer.from(chunk));
      },
      close: async () => {
        received.set(sopInstanceUid, { transferSyntaxUid, bytes: Buffer.concat(chunks) });
        return 0x0000;
      },
      abort: async () => {},
    };
  };
  return { received, handler };
}

/** The Part 10 files below a folder; other files are passed over. */
export async function receivedIn(folder: string): Promise<ReceivedObjects> {
  const entries = await readdir(folder, { withFileTypes: true, recursive: true });
  const files = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  return receivedFrom(await Promise.all(files.map((file) => readFile(file))));
}

/** Part 10 files in memory. */
export async function receivedFrom(files: readonly Buffer[]): Promise<ReceivedObjects> {
  const received = new Map<string, ReceivedObject>();
  for (const file of files) {
    if (file.toString("latin1", 128, 132) !== "DICM") continue;
    const { dataSet, meta, transferSyntaxUid, dataSetOffset } = await readPart10(bytesSource(file));
    const uid = uidOf(dataSet, tags.SOPInstanceUID) ?? uidOf(meta, tags.MediaStorageSOPInstanceUID) ?? "";
    received.set(uid, { transferSyntaxUid, bytes: file.subarray(dataSetOffset) });
  }
  return received;
}
