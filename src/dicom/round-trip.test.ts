import { describe, expect, it } from "vitest";
import type { ByteSource, DataElement, DataSet } from "./data-set.ts";
import {
  DEFLATED_EXPLICIT_VR_LITTLE_ENDIAN,
  EXPLICIT_VR_BIG_ENDIAN,
  EXPLICIT_VR_LITTLE_ENDIAN,
} from "./dictionary/transfer-syntaxes.ts";
import { bytesSource, parseDataSet, readPart10 } from "./reader.ts";
import { tagOf } from "./tag.ts";
import { element, itemsOf, numberOf, numbersOf } from "./values.ts";
import { encodeDataSet, fileMetaOf, writePart10 } from "./writer.ts";

const CT_IMAGE_STORAGE = "1.2.840.10008.5.1.4.1.1.2";
const JPEG_BASELINE = "1.2.840.10008.1.2.4.50";

const ascii = (text: string): Uint8Array => new TextEncoder().encode(text);

async function writtenPart10(
  dataSet: DataSet,
  transferSyntaxUid: string,
  source: ByteSource = bytesSource(new Uint8Array()),
): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  const meta = fileMetaOf({ sopClassUid: CT_IMAGE_STORAGE, sopInstanceUid: "1.2.3", transferSyntaxUid });
  await writePart10(
    { write: (chunk) => void chunks.push(Uint8Array.from(chunk)) },
    { meta, dataSet, transferSyntaxUid, source },
  );
  return Buffer.concat(chunks);
}

describe("a data set", () => {
  it("keeps its numbers when its byte order changes", () => {
    const columns = element(tagOf(0x00280011), "US", Uint8Array.of(0x01, 0x02));
    const little = new Map([[columns.tag, columns]]);
    const big = parseDataSet(
      encodeDataSet(little, EXPLICIT_VR_BIG_ENDIAN, { sourceLittleEndian: true }),
      EXPLICIT_VR_BIG_ENDIAN,
    );
    expect(numberOf(little, columns.tag)).toBe(0x0201);
    expect(numbersOf(big, columns.tag, { littleEndian: false })).toEqual([0x0201]);
  });

  it("is deflated and inflated", async () => {
    const name = element(tagOf(0x00100010), "PN", ascii("Doe^John"));
    const bytes = await writtenPart10(new Map([[name.tag, name]]), DEFLATED_EXPLICIT_VR_LITTLE_ENDIAN);
    expect(bytes.length % 2).toBe(0);
    const file = await readPart10(bytesSource(bytes));
    expect(file.dataSet).toEqual(new Map([[name.tag, name]]));
    expect(file.findings).toEqual([]);
    const alone = encodeDataSet(file.dataSet, DEFLATED_EXPLICIT_VR_LITTLE_ENDIAN);
    expect(parseDataSet(alone, DEFLATED_EXPLICIT_VR_LITTLE_ENDIAN)).toEqual(file.dataSet);
  });
});

describe("UN of undefined length", () => {
  // Columns 2 in the byte order of the file, then a private UN sequence: implicit VR little endian inside. PS3.5 6.2.2 note 2.
  const inBigEndian = Buffer.from(
    [
      "0028 0011 5553 0002 0002",
      "7053 1001 554e 0000 ffffffff", // (7053,1001) UN, length undefined
      "feff00e0 ffffffff", // item
      "28001100 02000000 0300", // (0028,0011) implicit, 3
      "feff0de0 00000000",
      "feffdde0 00000000",
    ]
      .join("")
      .replaceAll(" ", ""),
    "hex",
  );
  const columns = tagOf(0x00280011);

  it("is read as implicit little endian within big endian, and written back", () => {
    const read = parseDataSet(inBigEndian, EXPLICIT_VR_BIG_ENDIAN);
    expect(numberOf(read, columns, { littleEndian: false })).toBe(2);
    expect(itemsOf(read, tagOf(0x70531001)).map(({ dataSet }) => numberOf(dataSet, columns))).toEqual([3]);
    expect(Buffer.from(encodeDataSet(read, EXPLICIT_VR_BIG_ENDIAN)).equals(inBigEndian)).toBe(true);
  });

  it("keeps its content when the byte order round it changes", () => {
    const read = parseDataSet(inBigEndian, EXPLICIT_VR_BIG_ENDIAN);
    const written = encodeDataSet(read, EXPLICIT_VR_LITTLE_ENDIAN, { sourceLittleEndian: false });
    const little = parseDataSet(written, EXPLICIT_VR_LITTLE_ENDIAN);
    expect(numberOf(little, columns)).toBe(2);
    expect(itemsOf(little, tagOf(0x70531001)).map(({ dataSet }) => numberOf(dataSet, columns))).toEqual([3]);
  });
});

describe("the window through which a file is read", () => {
  const name = element(tagOf(0x00100010), "PN", ascii("Doe^John"));
  const comment = element(tagOf(0x00104000), "LT", ascii("well"));
  const items = [{ dataSet: new Map([[name.tag, name]]), undefinedLength: true }];
  const nested: DataElement = {
    tag: tagOf(0x0040a730),
    vr: "SQ",
    undefinedLength: true,
    value: { kind: "sequence", items },
  };
  const pixels: DataElement = {
    tag: tagOf(0x7fe00010),
    vr: "OB",
    undefinedLength: true,
    value: {
      kind: "fragments",
      fragments: [
        { offset: 0, length: 0 },
        { offset: 0, length: 4 },
      ],
    },
  };
  const tail = [name, comment, nested, pixels];

  it("may end at any byte", async () => {
    const whole = await writtenPart10(
      new Map(tail.map((one) => [one.tag, one])),
      JPEG_BASELINE,
      bytesSource(Buffer.alloc(4)),
    );
    for (let shift = 0; shift < whole.length; shift += 1) {
      const filler = element(tagOf(0x00080300), "OB", new Uint8Array(65_536 - 4 - shift));
      const dataSet = new Map([filler, ...tail].map((one) => [one.tag, one]));
      const bytes = await writtenPart10(dataSet, JPEG_BASELINE, bytesSource(Buffer.alloc(4)));
      const file = await readPart10(bytesSource(bytes), { bulkThresholdBytes: 1e6 });
      expect([...file.dataSet.keys()]).toEqual([...dataSet.keys()]);
      expect(file.dataSet.get(nested.tag)).toEqual(nested);
      expect(file.dataSet.get(comment.tag)).toEqual(comment);
    }
  });

  it("does not touch what is skipped", async () => {
    const pixelData: DataElement = {
      tag: tagOf(0x7fe00010),
      vr: "OW",
      undefinedLength: false,
      value: { kind: "range", range: { offset: 0, length: 10 * 2 ** 20 } },
    };
    const padding = element(tagOf(0xfffcfffc), "OB", new Uint8Array(6));
    const dataSet = new Map([name, pixelData, padding].map((one) => [one.tag, one]));
    const bytes = await writtenPart10(dataSet, EXPLICIT_VR_LITTLE_ENDIAN, bytesSource(new Uint8Array(10 * 2 ** 20)));
    let readBytes = 0;
    const { read } = bytesSource(bytes);
    const counting: ByteSource = {
      sizeBytes: bytes.length,
      read: (offset, length) => {
        readBytes += length;
        return read(offset, length);
      },
    };
    const file = await readPart10(counting);
    expect([...file.dataSet.keys()]).toEqual([...dataSet.keys()]);
    expect(readBytes).toBeLessThan(80 * 1024);
  });
});
