import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { corpusFiles } from "../../test/support/corpus-truth.ts";
import type { DataSet } from "./data-set.ts";
import { EXPLICIT_VR_LITTLE_ENDIAN, IMPLICIT_VR_LITTLE_ENDIAN } from "./dictionary/transfer-syntaxes.ts";
import { createElementMemory, type ElementMemory } from "./element-memory.ts";
import { parseDataSet, readPart10File } from "./reader.ts";
import { tagOf } from "./tag.ts";
import { dataSetOf, element, sequenceElement, textElement } from "./values.ts";
import { encodeDataSet } from "./writer.ts";

const corpus = process.env.RADFERRY_CORPUS;

const PATIENT_ID = tagOf(0x00100020);
const REFERENCES = tagOf(0x00081140);
const ICON_IMAGE = tagOf(0x00880200);
const PIXEL_DATA = tagOf(0x7fe00010);

const image = (patientId: string, references: readonly string[]): DataSet =>
  dataSetOf([
    textElement(PATIENT_ID, patientId),
    sequenceElement(
      REFERENCES,
      references.map((uid) => dataSetOf([textElement(tagOf(0x00081155), uid)])),
    ),
  ]);

const read = (dataSet: DataSet, memory: ElementMemory, syntax = EXPLICIT_VR_LITTLE_ENDIAN): DataSet =>
  parseDataSet(encodeDataSet(dataSet, syntax), syntax, { memory });

it("has the same object for an element that is the same again", () => {
  const memory = createElementMemory();
  const first = read(image("A1", ["1.2.3"]), memory);
  const second = read(image("A1", ["1.2.3"]), memory);
  for (const tag of [PATIENT_ID, REFERENCES]) expect(second.get(tag)).toBe(first.get(tag));
  expect([...second.values()].every(memory.holds)).toBe(true);
});

it("has another object for another value, another item and another VR, and keeps the last", () => {
  const memory = createElementMemory();
  const first = read(image("A1", ["1.2.3"]), memory);
  const second = read(image("A2", ["1.2.4"]), memory);
  expect(second).toEqual(read(image("A2", ["1.2.4"]), createElementMemory()));
  const text = first.get(PATIENT_ID);
  expect(text !== undefined && memory.holds(text)).toBe(false);
  const third = read(dataSetOf([element(PATIENT_ID, "SH", Buffer.from("A2"))]), memory);
  expect(third.get(PATIENT_ID)).toMatchObject({ vr: "SH" });
});

it("holds nothing of what was read around a value", () => {
  const memory = createElementMemory();
  const bytes = encodeDataSet(image("A1", []), EXPLICIT_VR_LITTLE_ENDIAN);
  const dataSet = parseDataSet(bytes, EXPLICIT_VR_LITTLE_ENDIAN, { memory });
  const before = structuredClone(dataSet.get(PATIENT_ID));
  bytes.fill(0);
  expect(dataSet.get(PATIENT_ID)).toEqual(before);
});

it("reads sequences anew in implicit VR", () => {
  const memory = createElementMemory();
  const first = read(image("A1", ["1.2.3"]), memory, IMPLICIT_VR_LITTLE_ENDIAN);
  const second = read(image("A1", ["1.2.3"]), memory, IMPLICIT_VR_LITTLE_ENDIAN);
  expect(second).toEqual(first);
  expect(second.get(REFERENCES)).not.toBe(first.get(REFERENCES));
});

it("does not take the pixels of an icon for those of another place", () => {
  const icon = (before: string): DataSet =>
    dataSetOf([
      textElement(PATIENT_ID, before),
      sequenceElement(ICON_IMAGE, [dataSetOf([element(PIXEL_DATA, "OW", Buffer.alloc(16))])]),
    ]);
  const memory = createElementMemory();
  read(icon("A1"), memory);
  expect(read(icon("A LONGER ONE"), memory)).toEqual(read(icon("A LONGER ONE"), createElementMemory()));
});

it("counts the elements of a sequence that was read before", () => {
  const memory = createElementMemory();
  const bytes = encodeDataSet(image("A1", ["1.2.3", "1.2.4"]), EXPLICIT_VR_LITTLE_ENDIAN);
  parseDataSet(bytes, EXPLICIT_VR_LITTLE_ENDIAN, { memory });
  const limits = { elements: 5 };
  expect(() => parseDataSet(bytes, EXPLICIT_VR_LITTLE_ENDIAN, { memory, limits })).toThrow(
    expect.objectContaining({ code: "DICOM_LIMIT_EXCEEDED" }),
  );
});

describe.runIf(corpus !== undefined)("the corpus", () => {
  it("reads the same, whatever was read before", async () => {
    const memory = createElementMemory();
    const files = (await corpusFiles(corpus ?? "")).filter(({ expected }) => expected === "ok");
    for (const { path } of files.filter((_, index) => index % 3 === 0)) {
      const alone = await facts(join(corpus ?? "", path));
      for (const time of ["first", "second"])
        expect(await facts(join(corpus ?? "", path), memory), `${path}, ${time} time`).toEqual(alone);
    }
  }, 60_000);
});

async function facts(path: string, memory?: ElementMemory): Promise<unknown> {
  await using file = await readPart10File(path, memory === undefined ? {} : { memory });
  const { meta, dataSet, layout, trailing, findings } = file;
  return { meta, dataSet, layout, trailing, findings };
}
