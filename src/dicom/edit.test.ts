import { readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { temporaryFolder } from "../../test/support/temporary-folder.ts";
import type { ByteSource, DataElement, Part10File } from "./data-set.ts";
import { tags } from "./dictionary/tags.ts";
import {
  DEFLATED_EXPLICIT_VR_LITTLE_ENDIAN,
  EXPLICIT_VR_BIG_ENDIAN,
  EXPLICIT_VR_LITTLE_ENDIAN,
  IMPLICIT_VR_LITTLE_ENDIAN,
} from "./dictionary/transfer-syntaxes.ts";
import { editPart10File, editsBetween, type HeaderEdits, spliceEdits } from "./edit.ts";
import type { ParseOptions } from "./parser-state.ts";
import { bytesSource, readPart10 } from "./reader.ts";
import { type Tag, tagOf } from "./tag.ts";
import { dataSetOf, element, itemsOf, numberOf, sequenceElement, textElement, textOf, uidOf } from "./values.ts";
import { encodeDataSet, encodeFileMeta } from "./writer.ts";

const FACTS = { sopClassUid: "1.2.840.10008.5.1.4.1.1.2", sopInstanceUid: "1.2.3" };
const COMMENTS = tagOf(0x00104000);
const GROUP_8 = tagOf(0x00080000);
const GROUP_10 = tagOf(0x00100000);
const CONTENT_SEQUENCE = tagOf(0x0040a730);

const bytesOfHex = (hex: string): Buffer => Buffer.from(hex.replaceAll(" ", ""), "hex");

function fileOf(dataSet: Uint8Array, transferSyntaxUid = EXPLICIT_VR_LITTLE_ENDIAN): Buffer {
  return Buffer.concat([encodeFileMeta({ ...FACTS, transferSyntaxUid }), dataSet]);
}

const groupLength = (tag: Tag, length: number): DataElement => {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(length);
  return element(tag, "UL", bytes);
};

/** Name: 8 + 8 bytes, ID: 8 + 2, in a group that says its length. */
const PATIENT = [
  groupLength(GROUP_10, 26),
  textElement(tags.PatientName, "Doe^John"),
  textElement(tags.PatientID, "D1"),
];
const PIXELS = element(tags.PixelData, "OW", Buffer.from("pixel data of the object"));
const plain = encodeDataSet(
  dataSetOf([textElement(tags.SOPInstanceUID, "1.2.3"), ...PATIENT, PIXELS]),
  EXPLICIT_VR_LITTLE_ENDIAN,
);

const replaced = (...elements: readonly DataElement[]): HeaderEdits => ({
  dataSet: new Map(elements.map((one) => [one.tag, one])),
});

async function edited(bytes: Uint8Array, edits: HeaderEdits, options?: ParseOptions): Promise<Buffer> {
  const file = await readPart10(bytesSource(bytes), options);
  const chunks: Uint8Array[] = [];
  await spliceEdits(file, edits).writeTo({ write: (chunk) => void chunks.push(chunk) });
  return Buffer.concat(chunks);
}

async function editedFile(bytes: Uint8Array, edits: HeaderEdits): Promise<Part10File> {
  return readPart10(bytesSource(await edited(bytes, edits)));
}

describe("an edit of a header", () => {
  it("replaces, inserts in the order of tags, and removes", async () => {
    const edits = replaced(textElement(tags.PatientName, "X"), textElement(COMMENTS, "well"));
    const file = await editedFile(fileOf(plain), { dataSet: new Map([...edits.dataSet, [tags.PatientID, undefined]]) });
    expect([...file.dataSet.keys()]).toEqual([
      tags.SOPInstanceUID,
      GROUP_10,
      tags.PatientName,
      COMMENTS,
      tags.PixelData,
    ]);
    expect(textOf(file.dataSet, tags.PatientName)).toBe("X");
    expect(textOf(file.dataSet, COMMENTS)).toBe("well");
    expect(file.findings).toEqual([]);
  });

  it("appends behind the last element, before trailing bytes", async () => {
    const rubbish = Buffer.from("deadbeefdeadbeef", "hex");
    const padding = element(tagOf(0xfffcfffc), "OB", new Uint8Array(2));
    const bytes = await edited(Buffer.concat([fileOf(plain), rubbish]), replaced(padding));
    const { dataSet, trailing } = await readPart10(bytesSource(bytes));
    expect([...dataSet.keys()].at(-1)).toBe(padding.tag);
    expect(trailing).toEqual({ offset: bytes.length - 8, length: 8 });
    expect(bytes.subarray(-8).equals(rubbish)).toBe(true);
  });

  it("leaves an object as it is when what it removes is not there", async () => {
    const bytes = fileOf(plain);
    expect((await edited(bytes, { dataSet: new Map([[COMMENTS, undefined]]) })).equals(bytes)).toBe(true);
  });

  it("replaces an element that stands there twice by one", async () => {
    const name = encodeDataSet(dataSetOf([textElement(tags.PatientName, "Roe^Jane")]), EXPLICIT_VR_LITTLE_ENDIAN);
    const bytes = await edited(fileOf(Buffer.concat([name, name])), replaced(textElement(tags.PatientName, "X")));
    expect(bytes.includes("Roe")).toBe(false);
    expect((await readPart10(bytesSource(bytes))).findings).toEqual([]);
  });

  it("replaces a sequence by one with other items", async () => {
    const item = (name: string) => dataSetOf([textElement(tags.PatientName, name)]);
    const dataSet = dataSetOf([sequenceElement(CONTENT_SEQUENCE, [item("Doe^John"), item("Roe^Jane")]), PIXELS]);
    const bytes = fileOf(encodeDataSet(dataSet, EXPLICIT_VR_LITTLE_ENDIAN));
    const file = await editedFile(bytes, replaced(sequenceElement(CONTENT_SEQUENCE, [item("X")])));
    const names = itemsOf(file.dataSet, CONTENT_SEQUENCE).map((one) => textOf(one.dataSet, tags.PatientName));
    expect(names).toEqual(["X"]);
  });

  it.each([IMPLICIT_VR_LITTLE_ENDIAN, EXPLICIT_VR_BIG_ENDIAN, DEFLATED_EXPLICIT_VR_LITTLE_ENDIAN])(
    "is made in %s too",
    async (syntax) => {
      const dataSet = dataSetOf([textElement(tags.PatientName, "Doe^John"), PIXELS]);
      const file = await editedFile(
        fileOf(encodeDataSet(dataSet, syntax), syntax),
        replaced(textElement(tags.PatientName, "X")),
      );
      expect(textOf(file.dataSet, tags.PatientName)).toBe("X");
      expect(file.dataSet.get(tags.PixelData)?.value).toMatchObject({ range: { length: 24 } });
      expect(file.transferSyntaxUid).toBe(syntax);
    },
  );
});

describe("what an edit does not touch", () => {
  it("keeps its bytes, however odd they are", async () => {
    // Reserved bytes that are not zero; a sequence delimiter with a length; a VR that does not exist.
    const odd = bytesOfHex(
      `09001010 5554 beef 02000000 6162
       0900 1110 5351 0000 ffffffff  feff dde0 01000000
       0900 1210 3f3f 0200 6162`.replaceAll(/\s/g, ""),
    );
    const name = encodeDataSet(dataSetOf([textElement(tags.PatientName, "Doe^John")]), EXPLICIT_VR_LITTLE_ENDIAN);
    const bytes = await edited(fileOf(Buffer.concat([odd, name])), replaced(textElement(tags.PatientName, "X")));
    expect(bytes.subarray(-odd.length - 10, -10).equals(odd)).toBe(true);
  });

  it("is copied in a few reads, and neither parsed nor held", async () => {
    const pixels = element(tags.PixelData, "OW", new Uint8Array(10 * 2 ** 20));
    const bytes = fileOf(encodeDataSet(dataSetOf([...PATIENT, pixels]), EXPLICIT_VR_LITTLE_ENDIAN));
    const inner = bytesSource(bytes);
    let reads = 0;
    const counting: ByteSource = {
      sizeBytes: bytes.length,
      read: (offset, length) => {
        reads += 1;
        return inner.read(offset, length);
      },
    };
    const file = await readPart10(counting);
    const sizes: number[] = [];
    await spliceEdits(file, replaced(textElement(tags.PatientName, "X"))).writeTo({
      write: (chunk) => void sizes.push(chunk.length),
    });
    expect(reads).toBeLessThan(15);
    expect(Math.max(...sizes)).toBe(1024 * 1024);
    expect(sizes.length).toBeLessThan(15);
  });

  it("is what a file that was read to a certain element keeps behind it", async () => {
    const bytes = fileOf(plain);
    const stopBefore = tags.PatientID;
    const copy = await edited(bytes, replaced(textElement(tags.PatientName, "Roe^Jane")), { stopBefore });
    expect(copy.toString("latin1")).toBe(bytes.toString("latin1").replace("Doe^John", "Roe^Jane"));
    await expect(edited(bytes, replaced(textElement(tags.PatientID, "X")), { stopBefore })).rejects.toThrow(
      expect.objectContaining({ code: "INTERNAL" }),
    );
  });
});

describe("a group length", () => {
  const lengthAfter = async (edits: HeaderEdits): Promise<number | undefined> =>
    numberOf((await editedFile(fileOf(plain), edits)).dataSet, GROUP_10);

  it("follows an edit in its group", async () => {
    expect(await lengthAfter(replaced(textElement(tags.PatientName, "Poe^Jo")))).toBe(24);
    expect(await lengthAfter(replaced(textElement(COMMENTS, "well")))).toBe(26 + 8 + 4);
    expect(await lengthAfter({ dataSet: new Map([[tags.PatientID, undefined]]) })).toBe(16);
  });

  it("goes when its group does", async () => {
    const edits = new Map([tags.PatientName, tags.PatientID].map((tag) => [tag, undefined]));
    const { dataSet } = await editedFile(fileOf(plain), { dataSet: edits });
    expect([...dataSet.keys()]).toEqual([tags.SOPInstanceUID, tags.PixelData]);
  });

  it("stays as it is where nothing of its group changes, even if it is wrong", async () => {
    const wrong = dataSetOf([groupLength(GROUP_8, 4_711), textElement(tags.SOPInstanceUID, "1.2.3"), ...PATIENT]);
    const bytes = fileOf(encodeDataSet(wrong, EXPLICIT_VR_LITTLE_ENDIAN));
    const file = await editedFile(bytes, replaced(textElement(tags.PatientName, "X")));
    expect(numberOf(file.dataSet, GROUP_8)).toBe(4_711);
  });

  it("is left out of the items of an edited sequence", async () => {
    const items = [dataSetOf(PATIENT)];
    const file = await editedFile(fileOf(plain), replaced(sequenceElement(CONTENT_SEQUENCE, items)));
    const [item] = itemsOf(file.dataSet, CONTENT_SEQUENCE);
    expect([...(item?.dataSet.keys() ?? [])]).toEqual([tags.PatientName, tags.PatientID]);
  });

  it("is big endian where the data set is", async () => {
    const length = Buffer.from([0, 0, 0, 26]);
    const dataSet = dataSetOf([...PATIENT, element(GROUP_10, "UL", length)]);
    const bytes = fileOf(encodeDataSet(dataSet, EXPLICIT_VR_BIG_ENDIAN), EXPLICIT_VR_BIG_ENDIAN);
    const file = await editedFile(bytes, replaced(textElement(tags.PatientName, "X")));
    expect(numberOf(file.dataSet, GROUP_10, { littleEndian: false })).toBe(20);
  });
});

describe("the file meta", () => {
  it("names the UIDs of the edited data set, and counts its length anew", async () => {
    const file = await editedFile(fileOf(plain), replaced(textElement(tags.SOPInstanceUID, "1.2.3.4.5")));
    expect(uidOf(file.meta, tags.MediaStorageSOPInstanceUID)).toBe("1.2.3.4.5");
    expect(uidOf(file.meta, tags.MediaStorageSOPClassUID)).toBe(FACTS.sopClassUid);
    expect(file.findings).toEqual([]);
  });

  it("keeps its bytes when nothing of it changes, preamble included", async () => {
    const bytes = fileOf(plain);
    bytes.write("II*", 0, "latin1");
    const copy = await edited(bytes, replaced(textElement(tags.PatientName, "X")));
    const { dataSetOffset } = await readPart10(bytesSource(bytes));
    expect(copy.subarray(0, dataSetOffset).equals(bytes.subarray(0, dataSetOffset))).toBe(true);
  });

  it("can be edited, but not to another transfer syntax", async () => {
    const title = textElement(tags.SourceApplicationEntityTitle, "SENDER", "AE");
    const { meta } = await editedFile(fileOf(plain), { dataSet: new Map(), meta: new Map([[title.tag, title]]) });
    expect(textOf(meta, title.tag)).toBe("SENDER");
    const syntax = textElement(tags.TransferSyntaxUID, IMPLICIT_VR_LITTLE_ENDIAN);
    await expect(edited(fileOf(plain), { dataSet: new Map(), meta: new Map([[syntax.tag, syntax]]) })).rejects.toThrow(
      expect.objectContaining({ code: "INTERNAL" }),
    );
  });
});

it("finds what makes one data set from another", () => {
  const before = dataSetOf(PATIENT);
  const after = new Map(before);
  after.delete(GROUP_10);
  const other = textElement(tags.PatientID, "X");
  after.set(other.tag, other);
  expect(editsBetween(before, after)).toEqual(
    new Map([
      [GROUP_10, undefined],
      [other.tag, other],
    ]),
  );
});

describe.each([{ blocking: false }, { blocking: true }])("a file edited into another (blocking: $blocking)", (how) => {
  it("may be the same file, and leaves nothing else behind", async () => {
    await using folder = await temporaryFolder();
    const path = join(folder.path, "one.dcm");
    await writeFile(path, fileOf(plain));
    // What a run that was cut off left behind.
    await writeFile(join(folder.path, ".one.dcm.partial"), "half a file");
    await editPart10File(path, path, () => replaced(textElement(tags.PatientName, "Roe^Jane")), how);
    expect((await readFile(path)).includes("Roe^Jane")).toBe(true);
    expect(await readdir(folder.path)).toEqual(["one.dcm"]);
  });

  it("is edited by all who edit it at once, one after the other", async () => {
    await using folder = await temporaryFolder();
    const path = join(folder.path, "one.dcm");
    await writeFile(path, fileOf(plain));
    const edits = [textElement(tags.PatientName, "Roe^Jane"), textElement(tags.PatientID, "ID of both")];
    await Promise.all(edits.map((each) => editPart10File(path, path, () => replaced(each), how)));
    const bytes = await readFile(path);
    expect(["Roe^Jane", "ID of both"].map((text) => bytes.includes(text))).toEqual([true, true]);
    expect(await readdir(folder.path)).toEqual(["one.dcm"]);
  });

  it("is copied whole, whatever its size", async () => {
    await using folder = await temporaryFolder();
    const pixels = element(tags.PixelData, "OW", Buffer.alloc(3 * 2 ** 20 + 2, "some pixels of an image "));
    const bytes = fileOf(encodeDataSet(dataSetOf([...PATIENT, pixels]), EXPLICIT_VR_LITTLE_ENDIAN));
    const [path, other] = [join(folder.path, "one.dcm"), join(folder.path, "two.dcm")];
    await writeFile(path, bytes);
    await editPart10File(path, other, () => replaced(textElement(tags.PatientName, "Roe^Jane")), how);
    bytes.write("Roe^Jane", bytes.indexOf("Doe^John"), "latin1");
    expect(Buffer.compare(await readFile(other), bytes)).toBe(0);
  });

  it("is not written at all when the edit fails, cannot be made, or is given up", async () => {
    await using folder = await temporaryFolder();
    const path = join(folder.path, "one.dcm");
    await writeFile(path, fileOf(plain));
    const other = join(folder.path, "two.dcm");
    const failing = editPart10File(path, other, () => Promise.reject(new Error("no rule for this")), how);
    await expect(failing).rejects.toThrow("no rule for this");
    const syntax = textElement(tags.TransferSyntaxUID, IMPLICIT_VR_LITTLE_ENDIAN);
    const edits = { dataSet: new Map(), meta: new Map([[syntax.tag, syntax]]) };
    await expect(editPart10File(path, other, () => edits, how)).rejects.toThrow(
      expect.objectContaining({ code: "INTERNAL" }),
    );
    const signal = AbortSignal.abort(new Error("given up"));
    const givenUp = editPart10File(path, other, () => ({ dataSet: new Map() }), { ...how, signal });
    await expect(givenUp).rejects.toThrow("given up");
    expect(await readdir(folder.path)).toEqual(["one.dcm"]);
  });
});
