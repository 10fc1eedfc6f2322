import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { corpusFiles, corpusTruths, differences } from "../../test/support/corpus-truth.ts";
import { GatewayError } from "../errors/gateway-error.ts";
import type { ByteSource, Part10File } from "./data-set.ts";
import { EXPLICIT_VR_LITTLE_ENDIAN, transferSyntaxOf } from "./dictionary/transfer-syntaxes.ts";
import { dumpDocument, dumpLines } from "./dump.ts";
import { spliceEdits } from "./edit.ts";
import { bytesSource, readPart10, readPart10File } from "./reader.ts";
import { type ByteSink, writePart10 } from "./writer.ts";

const corpus = process.env.RADFERRY_CORPUS;

/** Private elements under implicit VR, or inside UN: the reference reader has a dictionary of them, for us they are UN. PS3.5 6.2.2. */
const PRIVATE_VR = (count: number) => ({ VR: count });
/** A standard sequence written as UN of defined length, or a private one under implicit VR: kept as bytes. PS3.5 6.2.2 note 2. */
const KEPT_AS_BYTES = (count: number) => ({ missing: count, "number of elements": 1 });

/** Files whose listing differs from the reference reader's: how often, in what. Elsewhere nothing differs. */
const EXCEPTIONS: Readonly<Record<string, Readonly<Record<string, number>>>> = {
  "files/derived/UN_undefined_length_1.dcm": PRIVATE_VR(1),
  "files/derived/all_value_representations_3_implicit.dcm": PRIVATE_VR(1),
  "files/icometrix_dicom2nifti/001_implicit__IM-0001-9600-0001.dcm": { ...PRIVATE_VR(22), ...KEPT_AS_BYTES(1_236) },
  "files/icometrix_dicom2nifti/001_implicit__IM1.dcm": PRIVATE_VR(271),
  "files/nipy_nibabel/data__0.dcm": PRIVATE_VR(38),
  "files/pydicom_pydicom/rtdose_rle.dcm": KEPT_AS_BYTES(6),
  "files/pydicom_pydicom/rtdose_rle_1frame.dcm": KEPT_AS_BYTES(6),
};

/** Sound files of which a finding is made all the same, and why. */
const ODD_BUT_SOUND: Readonly<Record<string, readonly string[]>> = {
  // Eight bytes of a gzip trailer behind the deflated data set.
  "files/cornerstonejs_dicomParser/deflate__image_dfl": ["TRAILING_BYTES"],
  "files/cornerstonejs_dicomParser/deflate__report_dfl": ["TRAILING_BYTES"],
};

/** Written back, these are deflated anew, and every deflater has its own way: what they inflate to is the same. */
const DEFLATED_ANEW: readonly string[] = [
  "files/cornerstonejs_cornerstone3D/CTImage.dcm_DeflatedExplicitVRLittleEndianTransferSyntax_1.2.840.10008.1.2.1.99.dcm",
  "files/cornerstonejs_dicomParser/deflate__image_dfl",
  "files/cornerstonejs_dicomParser/deflate__report_dfl",
];

/** "00100010 VR" and the like, counted by what follows the path. */
function countKinds(found: readonly string[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const difference of found) {
    const kind = difference.replace(/^\S*[0-9A-F]{8} /, "");
    counts[kind] = (counts[kind] ?? 0) + 1;
  }
  return counts;
}

/** The data set as DICOM JSON, without where its bulk is. */
async function contentOf(file: Part10File): Promise<string> {
  return JSON.stringify((await dumpDocument("", file)).dataset).replace(/"BulkDataURI":"[^"]*"/g, "");
}

function allOf({ read, sizeBytes }: ByteSource): Promise<Uint8Array> {
  return read(0, sizeBytes);
}

async function written(write: (sink: ByteSink) => Promise<void>): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  await write({ write: (chunk) => void chunks.push(chunk) });
  return Buffer.concat(chunks);
}

describe.skipIf(corpus === undefined)("the corpus", () => {
  const folder = corpus ?? "";
  const filesThat = async (suits: (expected: string) => boolean): Promise<readonly string[]> =>
    (await corpusFiles(folder)).filter(({ expected }) => suits(expected)).map(({ path }) => path);
  const soundFiles = () => filesThat((expected) => expected === "ok");

  it("is read as the reference reader reads it: tags, VRs, lengths, values, items and fragments", async () => {
    const truths = await corpusTruths(folder);
    const differing: Record<string, Record<string, number>> = {};
    for (const path of await soundFiles()) {
      await using file = await readPart10File(join(folder, path));
      const found = await differences(file, truths.get(path) ?? { path, capped: false });
      if (found.length > 0) differing[path] = countKinds(found);
    }
    expect(differing).toEqual(EXCEPTIONS);
  });

  it("gives an object or a typed error that says where, however malformed", async () => {
    for (const path of await filesThat((expected) => expected !== "ok")) {
      const { length } = await readFile(join(folder, path));
      try {
        await using file = await readPart10File(join(folder, path));
        for (const { offset } of file.findings) expect(offset, path).toBeLessThanOrEqual(file.source.sizeBytes);
      } catch (thrown) {
        if (!(thrown instanceof GatewayError)) throw thrown;
        expect(thrown.details.offset, path).toBeGreaterThanOrEqual(0);
        expect(thrown.details.offset, path).toBeLessThanOrEqual(length);
      }
    }
  });

  it("is refused where it is not DICOM", async () => {
    for (const path of await filesThat((expected) => expected === "not-dicom")) {
      await expect(readPart10File(join(folder, path)), path).rejects.toThrow(
        expect.objectContaining({ code: "NOT_DICOM" }),
      );
    }
  });

  it("is written back byte for byte, preamble to last byte", async () => {
    const changed: string[] = [];
    for (const path of await soundFiles()) {
      await using file = await readPart10File(join(folder, path));
      const bytes = await written((sink) => writePart10(sink, file));
      if (!bytes.equals(await readFile(join(folder, path)))) changed.push(path);
      const { source } = await readPart10(bytesSource(bytes));
      if (file.file !== file.source)
        expect(Buffer.compare(await allOf(source), await allOf(file.source)), path).toBe(0);
    }
    expect(changed).toEqual(DEFLATED_ANEW);
  });

  it("is copied byte for byte by edits that change nothing, however malformed", async () => {
    for (const path of await filesThat((expected) => expected !== "not-dicom")) {
      await using file = await readPart10File(join(folder, path)).catch(() => undefined);
      if (file === undefined) continue;
      const bytes = await written((sink) => spliceEdits(file, { dataSet: new Map() }).writeTo(sink));
      expect(bytes.equals(await readFile(join(folder, path))), path).toBe(true);
    }
  });

  it("says the same in explicit VR little endian", async () => {
    const changed: string[] = [];
    for (const path of await soundFiles()) {
      await using file = await readPart10File(join(folder, path));
      const { encapsulated, littleEndian } = transferSyntaxOf(file.transferSyntaxUid);
      if (encapsulated) continue;
      const { dataSet, source } = file;
      const content = { meta: new Map(), dataSet, transferSyntaxUid: EXPLICIT_VR_LITTLE_ENDIAN, source };
      const bytes = await written((sink) => writePart10(sink, content, { sourceLittleEndian: littleEndian }));
      const again = await readPart10(bytesSource(bytes));
      if ((await contentOf(again)) !== (await contentOf(file))) changed.push(path);
    }
    expect(changed).toEqual([]);
  });

  it("can be listed as far as it is readable, whatever its state", async () => {
    for (const { path, expected } of await corpusFiles(folder)) {
      if (expected === "not-dicom") continue;
      await using file = await readPart10File(join(folder, path), { tolerant: true });
      const { littleEndian } = transferSyntaxOf(file.transferSyntaxUid);
      const lines = [...dumpLines(file.meta), ...dumpLines(file.dataSet, littleEndian)];
      expect(lines.length, path).toBeGreaterThan(0);
      expect(
        lines.filter((line) => /\p{Cc}/u.test(line)),
        path,
      ).toEqual([]);
      expect(JSON.stringify(await dumpDocument(path, file)), path).toContain('"findings"');
      const codes = file.findings.map(({ code }) => code);
      if (expected === "ok") expect(codes, path).toEqual(ODD_BUT_SOUND[path] ?? []);
    }
  });
});
