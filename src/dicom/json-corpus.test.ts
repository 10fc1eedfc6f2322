import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { corpusFiles } from "../../test/support/corpus-truth.ts";
import type { ByteRange, DataSet, ElementValue, Part10File } from "./data-set.ts";
import { transferSyntaxOf } from "./dictionary/transfer-syntaxes.ts";
import { dumpDocument, formatDumpDocument, inflatedBulk } from "./dump.ts";
import { type JsonDataSet, toDicomJson } from "./json.ts";
import { formatDicomJson } from "./json-format.ts";
import { fromDicomJson } from "./json-read.ts";
import { readPart10File } from "./reader.ts";

const corpus = process.env.RADFERRY_CORPUS;

/** Files whose texts come back in ISO_IR 192, and why. */
const IN_UTF_8: Readonly<Record<string, string>> = {
  "files/b71729_opendcm/synthetic__GB18030.dcm": "of several bytes",
  "files/b71729_opendcm/synthetic__ShiftJIS.dcm": "kanji in a set that has none",
  "files/derived/charset_GB18030.dcm": "of several bytes",
  "files/derived/charset_GBK.dcm": "of several bytes",
  "files/derived/charset_iso2022_0_dev.dcm": "code extensions",
  "files/derived/charset_iso2022_1_dev.dcm": "code extensions",
  "files/derived/charset_iso2022_2_dev.dcm": "code extensions",
  "files/derived/charset_iso2022_3_dev.dcm": "code extensions",
  "files/pydicom_pydicom/charset_files__chrI2.dcm": "code extensions",
  "files/pydicom_pydicom/charset_files__chrX2.dcm": "of several bytes",
  "files/pydicom_pydicom/chrJapMulti.dcm": "code extensions",
  "files/pydicom_pydicom/chrJapMultiExplicitIR6.dcm": "code extensions",
  "files/pydicom_pydicom/chrSQEncoding1.dcm": "code extensions",
  "files/pydicom_pylibjpeg-data/JPEG2KLossless_1s_1f_u_16_16.dcm": "nothing was declared",
};

const uriOf = ({ offset, length }: ByteRange): string => `#${offset},${length}`;

/** Ranges and fragments by their URI: what a program would read from the file. */
function bulkOf(dataSet: DataSet): ReadonlyMap<string, ElementValue> {
  const bulk = new Map<string, ElementValue>();
  const pending = [dataSet];
  for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
    for (const { value } of next.values()) {
      if (value.kind === "sequence") for (const item of value.items) pending.push(item.dataSet);
      if (value.kind === "range") bulk.set(uriOf(value.range), value);
      const [first] = value.kind === "fragments" ? value.fragments : [];
      const last = value.kind === "fragments" ? value.fragments.at(-1) : undefined;
      if (first !== undefined && last !== undefined)
        bulk.set(uriOf({ offset: first.offset - 8, length: last.offset + last.length - first.offset + 8 }), value);
    }
  }
  return bulk;
}

function roundTrip({ dataSet, transferSyntaxUid }: Part10File): readonly [string, string] {
  const { littleEndian } = transferSyntaxOf(transferSyntaxUid);
  const text = formatDicomJson(toDicomJson(dataSet, { littleEndian }));
  const bulk = bulkOf(dataSet);
  const json: JsonDataSet = JSON.parse(text);
  const read = fromDicomJson(json, { resolveBulkData: (uri) => bulk.get(uri) });
  return [text, formatDicomJson(toDicomJson(read))];
}

function withoutCharacterSet(json: string): string {
  return json.replace(/"00080005":\{"vr":"CS"(?:,"Value":\[[^\]]*\])?\},?/g, "");
}

describe.skipIf(corpus === undefined)("the corpus as DICOM JSON", () => {
  const folder = corpus ?? "";

  it("comes back from there unchanged, but for character sets that are not written", async () => {
    const inUtf8: string[] = [];
    for (const { path } of (await corpusFiles(folder)).filter(({ expected }) => expected === "ok")) {
      await using file = await readPart10File(join(folder, path));
      const [before, after] = roundTrip(file);
      if (before !== after) inUtf8.push(path);
      expect(withoutCharacterSet(after), path).toBe(withoutCharacterSet(before));
    }
    expect(inUtf8.sort()).toEqual(Object.keys(IN_UTF_8).sort());
  });

  it("names bulk by where it is in the file", async () => {
    let references = 0;
    for (const { path, expected } of await corpusFiles(folder)) {
      if (expected === "not-dicom") continue;
      await using file = await readPart10File(join(folder, path), { tolerant: true });
      const line = formatDumpDocument(dumpDocument(path, file, await inflatedBulk(file)));
      const uris = [...line.matchAll(/"BulkDataURI":"([^"]*)"/g)].map(([, uri]) => uri ?? "");
      const known = new Set(
        [...bulkOf(file.meta).keys(), ...bulkOf(file.dataSet).keys()].map((uri) => `${path}${uri}`),
      );
      const { deflated } = transferSyntaxOf(file.transferSyntaxUid);
      expect(new Set(uris), path).toEqual(deflated ? new Set() : known);
      references += uris.length;
    }
    expect(references).toBeGreaterThan(0);
  });
});
