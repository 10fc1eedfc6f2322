import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import type { ByteSource, DataElement, DataSet, Part10File } from "../../src/dicom/data-set.ts";
import {
  EXPLICIT_VR_LITTLE_ENDIAN,
  IMPLICIT_VR_LITTLE_ENDIAN,
  transferSyntaxOf,
} from "../../src/dicom/dictionary/transfer-syntaxes.ts";
import { formatTagHex } from "../../src/dicom/tag.ts";
import { isLongForm } from "../../src/dicom/vr.ts";
import { writeDataSet } from "../../src/dicom/writer.ts";

export interface CorpusFile {
  readonly path: string;
  /** "ok", "malformed: why" or "not-dicom". */
  readonly expected: string;
}

/** The rows of the corpus's `MANIFEST.tsv`. */
export async function corpusFiles(folder: string): Promise<readonly CorpusFile[]> {
  const [header = "", ...lines] = (await readFile(join(folder, "MANIFEST.tsv"), "utf8")).trim().split("\n");
  const columns = header.split("\t");
  return lines.map((line) => {
    const cells = line.split("\t");
    return { path: cells[columns.indexOf("path")] ?? "", expected: cells[columns.indexOf("expected")] ?? "" };
  });
}

/** What the reference reader saw in a file. */
export interface Truth {
  readonly path: string;
  /** Elements at all depths, also those behind the first 2,000. */
  readonly n_total?: number;
  readonly capped: boolean;
  /** Tag path, VR in the file (null under implicit VR), length, SHA-256 of the value, VR used. */
  readonly elements?: readonly (readonly [string, string | null, number | "undefined", string | null, string])[];
}

export async function corpusTruths(folder: string): Promise<ReadonlyMap<string, Truth>> {
  const text = gunzipSync(await readFile(join(folder, "truth.jsonl.gz"))).toString("utf8");
  const truths: readonly Truth[] = text
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line));
  return new Map(truths.map((truth) => [truth.path, truth]));
}

interface Listed {
  readonly vr: string;
  readonly length: number | "undefined";
  /** Undefined for a sequence of undefined length, which the reference does not hash. */
  readonly hash: string | undefined;
}

interface Encoding {
  readonly source: ByteSource;
  readonly transferSyntaxUid: string;
}

/** Every difference between what was read and the truth: "00081140[0].00081150 VR". */
export async function differences(file: Part10File, truth: Truth): Promise<readonly string[]> {
  const { source, transferSyntaxUid } = file;
  const listing = new Map([
    ...(await listingOf(file.meta, { source, transferSyntaxUid: EXPLICIT_VR_LITTLE_ENDIAN })),
    ...(await listingOf(file.dataSet, { source, transferSyntaxUid })),
  ]);
  const found: string[] = [];
  for (const [path, vrInFile, length, hash, vrUsed] of truth.elements ?? []) {
    const mine = listing.get(path);
    if (mine === undefined) found.push(`${path} missing`);
    else {
      if (!(vrInFile ?? vrUsed).split(" or ").includes(mine.vr)) found.push(`${path} VR`);
      if (mine.length !== length) found.push(`${path} length`);
      if (mine.hash !== (hash ?? undefined)) found.push(`${path} value`);
    }
  }
  const named = new Set((truth.elements ?? []).map(([path]) => path));
  if (!truth.capped) for (const path of listing.keys()) if (!named.has(path)) found.push(`${path} extra`);
  if (truth.n_total !== undefined && truth.n_total !== listing.size) found.push("number of elements");
  return found;
}

async function listingOf(dataSet: DataSet, encoding: Encoding, prefix = ""): Promise<Map<string, Listed>> {
  const listing = new Map<string, Listed>();
  for (const element of dataSet.values()) {
    const path = prefix + formatTagHex(element.tag);
    listing.set(path, await listedOf(element, encoding));
    if (element.value.kind !== "sequence") continue;
    // Inside UN everything is implicit VR little endian. PS3.5 6.2.2 note 2.
    const inner = element.vr === "UN" ? { ...encoding, transferSyntaxUid: IMPLICIT_VR_LITTLE_ENDIAN } : encoding;
    for (const [index, item] of element.value.items.entries()) {
      for (const [path2, line] of await listingOf(item.dataSet, inner, `${path}[${index}].`)) listing.set(path2, line);
    }
  }
  return listing;
}

async function listedOf(element: DataElement, { source, transferSyntaxUid }: Encoding): Promise<Listed> {
  const { tag, vr, value, undefinedLength } = element;
  if (value.kind === "sequence" && undefinedLength) return { vr, length: "undefined", hash: undefined };
  const encoded = await encodedElement(new Map([[tag, element]]), transferSyntaxUid, source);
  const { explicitVr } = transferSyntaxOf(transferSyntaxUid);
  const content = encoded.subarray(explicitVr && isLongForm(vr) ? 12 : 8);
  // Fragments with their headers, without the delimiter behind them.
  if (undefinedLength) return { vr, length: "undefined", hash: digest(content.subarray(0, -8)) };
  return { vr, length: content.length, hash: digest(content) };
}

async function encodedElement(dataSet: DataSet, transferSyntaxUid: string, source: ByteSource): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  const { deflated } = transferSyntaxOf(transferSyntaxUid);
  const syntax = deflated ? EXPLICIT_VR_LITTLE_ENDIAN : transferSyntaxUid;
  await writeDataSet({ write: (chunk) => void chunks.push(chunk) }, dataSet, syntax, source);
  return Buffer.concat(chunks);
}

function digest(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}
