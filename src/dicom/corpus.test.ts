import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { GatewayError } from "../errors/gateway-error.ts";
import type { ByteSource, DataSet, Part10File } from "./data-set.ts";
import { EXPLICIT_VR_LITTLE_ENDIAN, transferSyntaxOf } from "./dictionary/transfer-syntaxes.ts";
import { dumpDocument, dumpLines } from "./dump.ts";
import { bytesSource, readPart10, readPart10File } from "./reader.ts";
import { formatTagHex } from "./tag.ts";
import { writePart10 } from "./writer.ts";

const corpus = process.env.RADFERRY_CORPUS;

/** Files whose listing differs from the reference reader's, and why both are right. */
const EXCEPTIONS: Readonly<Record<string, string>> = {
  "files/icometrix_dicom2nifti/001_implicit__IM-0001-9600-0001.dcm":
    "a private element under implicit VR: the reference reader has a private dictionary, we keep its bytes",
  "files/pydicom_pydicom/rtdose_rle.dcm": "a sequence written as UN of defined length: kept as bytes",
  "files/pydicom_pydicom/rtdose_rle_1frame.dcm": "a sequence written as UN of defined length: kept as bytes",
};

/** Sound files of which a finding is made all the same, and why. */
const ODD_BUT_SOUND: Readonly<Record<string, readonly string[]>> = {
  // Eight bytes of a gzip trailer behind the deflated data set.
  "files/cornerstonejs_dicomParser/deflate__image_dfl": ["TRAILING_BYTES"],
};

interface ManifestRow {
  readonly path: string;
  readonly expected: string;
}

interface Truth {
  readonly path: string;
  readonly capped: boolean;
  /** Tag path, VR in file, length, SHA-256 of the value, VR used. */
  readonly elements?: readonly (readonly [string, string | null, number | "undefined" | null, string | null, string])[];
}

async function manifest(folder: string): Promise<readonly ManifestRow[]> {
  const [header = "", ...lines] = (await readFile(join(folder, "MANIFEST.tsv"), "utf8")).trim().split("\n");
  const columns = header.split("\t");
  return lines.map((line) => {
    const cells = line.split("\t");
    return { path: cells[columns.indexOf("path")] ?? "", expected: cells[columns.indexOf("expected")] ?? "" };
  });
}

async function truths(folder: string): Promise<ReadonlyMap<string, Truth>> {
  const lines = gunzipSync(await readFile(join(folder, "truth.jsonl.gz")))
    .toString("utf8")
    .trim()
    .split("\n");
  return new Map(lines.map((line) => JSON.parse(line) as Truth).map((truth) => [truth.path, truth]));
}

/** Tag path to length and SHA-256 of the value, as the truth listing has them. */
async function listingOf(
  source: ByteSource,
  dataSet: DataSet,
  prefix = "",
): Promise<Map<string, readonly [number, string] | undefined>> {
  const listing = new Map<string, readonly [number, string] | undefined>();
  for (const { tag, value } of dataSet.values()) {
    const path = prefix + formatTagHex(tag);
    if (value.kind === "bytes") listing.set(path, [value.bytes.length, digest(value.bytes)]);
    else if (value.kind === "range") {
      listing.set(path, [value.range.length, digest(await source.read(value.range.offset, value.range.length))]);
    } else {
      listing.set(path, undefined);
      const items = value.kind === "sequence" ? value.items : [];
      for (const [index, item] of items.entries()) {
        for (const [inner, line] of await listingOf(source, item.dataSet, `${path}[${index}].`))
          listing.set(inner, line);
      }
    }
  }
  return listing;
}

function digest(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}

async function differences(file: Part10File, truth: Truth): Promise<readonly string[]> {
  const listing = new Map([
    ...(await listingOf(file.source, file.meta)),
    ...(await listingOf(file.source, file.dataSet)),
  ]);
  const found: string[] = [];
  for (const [path, , length, hash] of truth.elements ?? []) {
    const mine = listing.get(path);
    if (!listing.has(path)) found.push(`${path} is missing`);
    else if (mine !== undefined && hash !== null && (mine[0] !== length || mine[1] !== hash))
      found.push(`${path} differs`);
  }
  const named = new Set((truth.elements ?? []).map(([path]) => path));
  if (!truth.capped) for (const path of listing.keys()) if (!named.has(path)) found.push(`${path} is extra`);
  return found;
}

/** The data set as DICOM JSON, without where its bulk is. */
function contentOf(file: Part10File): string {
  return JSON.stringify(dumpDocument("", file).dataset).replace(/"BulkDataURI":"[^"]*"/g, "");
}

describe.skipIf(corpus === undefined)("the corpus", () => {
  const folder = corpus ?? "";

  it("is read as the reference reader reads it", async () => {
    const truth = await truths(folder);
    const differing: Record<string, readonly string[]> = {};
    for (const { path } of (await manifest(folder)).filter(({ expected }) => expected === "ok")) {
      await using file = await readPart10File(join(folder, path));
      const found = await differences(file, truth.get(path) ?? { path, capped: false });
      if (found.length > 0) differing[path] = found;
    }
    expect(Object.keys(differing).sort()).toEqual(Object.keys(EXCEPTIONS).sort());
  });

  it("gives a typed error or findings where it is malformed, and never crashes", async () => {
    for (const { path } of (await manifest(folder)).filter(({ expected }) => expected !== "ok")) {
      const outcome = await readPart10File(join(folder, path)).then(
        (file) => file[Symbol.asyncDispose]().then(() => "read"),
        (thrown: unknown) => thrown,
      );
      if (outcome !== "read") expect(outcome, path).toBeInstanceOf(GatewayError);
      await using tolerant = await readPart10File(join(folder, path), { tolerant: true }).catch(() => undefined);
      expect(tolerant === undefined || tolerant.dataSet.size >= 0).toBe(true);
    }
  });

  it("refuses what is not DICOM", async () => {
    for (const { path } of (await manifest(folder)).filter(({ expected }) => expected === "not-dicom")) {
      await expect(readPart10File(join(folder, path)), path).rejects.toThrow(
        expect.objectContaining({ code: "NOT_DICOM" }),
      );
    }
  });

  it("is written back byte for byte", async () => {
    const changed: string[] = [];
    for (const { path } of (await manifest(folder)).filter(({ expected }) => expected === "ok")) {
      await using file = await readPart10File(join(folder, path));
      if (file.source.sizeBytes !== (await readFile(join(folder, path))).length) continue; // deflated
      const chunks: Uint8Array[] = [];
      const { meta, dataSet, transferSyntaxUid, source, preamble } = file;
      await writePart10(
        { write: (chunk) => void chunks.push(Uint8Array.from(chunk)) },
        { meta, dataSet, transferSyntaxUid, source, preamble },
      );
      const original = await readFile(join(folder, path));
      const written = Buffer.concat(chunks);
      // The data set alone: a preamble and a group length may have been missing, or wrong.
      const tail = original.length - file.dataSetOffset;
      if (!written.subarray(written.length - tail).equals(original.subarray(file.dataSetOffset))) changed.push(path);
    }
    expect(changed).toEqual([]);
  });

  it("says the same in explicit VR little endian", async () => {
    const changed: string[] = [];
    for (const { path } of (await manifest(folder)).filter(({ expected }) => expected === "ok")) {
      await using file = await readPart10File(join(folder, path));
      const { encapsulated, littleEndian } = transferSyntaxOf(file.transferSyntaxUid);
      if (encapsulated) continue;
      const chunks: Uint8Array[] = [];
      const { dataSet, source } = file;
      const sink = { write: (chunk: Uint8Array) => void chunks.push(Uint8Array.from(chunk)) };
      const content = { meta: new Map(), dataSet, transferSyntaxUid: EXPLICIT_VR_LITTLE_ENDIAN, source };
      await writePart10(sink, content, { sourceLittleEndian: littleEndian });
      const written = Buffer.concat(chunks);
      const again = { ...(await readPart10(bytesSource(written))), findings: file.findings };
      if (contentOf(again) !== contentOf(file)) changed.push(path);
    }
    expect(changed).toEqual([]);
  });

  it("can be listed whole, whatever its state", async () => {
    for (const { path, expected } of await manifest(folder)) {
      if (expected === "not-dicom") continue;
      await using file = await readPart10File(join(folder, path), { tolerant: true });
      const { littleEndian } = transferSyntaxOf(file.transferSyntaxUid);
      expect(
        [...dumpLines(file.dataSet, littleEndian)].filter((line) => /\p{Cc}/u.test(line)),
        path,
      ).toEqual([]);
      expect(() => JSON.stringify(dumpDocument(path, file)), path).not.toThrow();
      const codes = file.findings.map(({ code }) => code);
      if (expected === "ok") expect(codes, path).toEqual(ODD_BUT_SOUND[path] ?? []);
    }
  });
});
