import { expect, it } from "vitest";
import type { DataElement, DataSet } from "../../dicom/data-set.ts";
import { tagOf } from "../../dicom/tag.ts";
import { dataSetOf, element, sequenceElement } from "../../dicom/values.ts";
import { SOP_CLASSES, text, unsigned } from "../testing/objects.ts";
import { chooseMask, type MaskChoice } from "./masks.ts";
import type { PixelMask, Rectangle } from "./pixel-settings.ts";

const [ROWS, COLUMNS] = [6, 8];
const usual = [unsigned(0x00280010, ROWS), unsigned(0x00280011, COLUMNS), unsigned(0x00280100, 8)];

function choose(area: PixelMask["area"], changes: readonly DataElement[], columns = COLUMNS): MaskChoice {
  const changed = new Set(changes.map(({ tag }) => tag));
  const object = {
    dataSet: dataSetOf([...usual.filter(({ tag }) => !changed.has(tag)), ...changes]),
    sopClassUid: SOP_CLASSES.us,
    transferSyntaxUid: "1.2.840.10008.1.2.1",
    ...{ bigEndian: false, isDecodable: false },
  };
  return chooseMask(object, [{ name: "device", when: { rows: ROWS, columns }, area }]);
}

/** Region Location Min X0, Min Y0, Max X1, Max Y1. PS3.3 C.8.5.5. */
function region(...bounds: readonly [number, number, number, number]): DataSet {
  const elements = bounds.map((value, index) =>
    element(tagOf(0x00186018 + 2 * index), "UL", Buffer.from(Uint32Array.of(value).buffer)),
  );
  return dataSetOf(elements);
}

/** The pixels that stay, row by row. */
function keptBy(rectangles: readonly Rectangle[]): readonly string[] {
  const isBlack = (column: number, row: number): boolean =>
    rectangles.some(({ x, y, width, height }) => column >= x && column < x + width && row >= y && row < y + height);
  return Array.from({ length: ROWS }, (_, row) =>
    Array.from({ length: COLUMNS }, (_, column) => (isBlack(column, row) ? "." : "o")).join(""),
  );
}

function outside(...regions: DataSet[]): readonly string[] {
  const choice = choose({ kind: "outside-regions" }, [sequenceElement(tagOf(0x00186011), regions)]);
  return choice.kind === "chosen" ? keptBy(choice.area.rectangles) : [JSON.stringify(choice)];
}

it("a region within another hides nothing of it", () => {
  expect(outside(region(0, 1, 6, 4), region(1, 2, 2, 3))).toEqual([
    "........",
    "ooooooo.",
    "ooooooo.",
    "ooooooo.",
    "ooooooo.",
    "........",
  ]);
});

it("regions that touch, overlap or stand apart keep what is in any of them, whatever their order", () => {
  const kept = ["oo.ooo..", "oo.oooo.", "...oooo.", "........", "........", ".......o"];
  const regions = [region(0, 0, 1, 1), region(3, 0, 5, 2), region(4, 1, 6, 2), region(7, 5, 7, 5)];
  expect(outside(...regions)).toEqual(kept);
  expect(outside(...regions.reverse())).toEqual(kept);
});

it("neighbours that share their colour come in pairs", () => {
  const area = { kind: "rectangles", rectangles: [{ x: 0, y: 0, width: 2, height: 2 }] } as const;
  const colours = [text(0x00280004, "YBR_FULL_422"), unsigned(0x00280002, 3), unsigned(0x00280006, 0)];
  expect(choose(area, colours)).toMatchObject({ kind: "chosen" });
  expect(choose(area, [...colours, unsigned(0x00280011, 7)], 7)).toEqual({ kind: "refused", reason: "mask-layout" });
  const inPlanes = [...colours.slice(0, 2), unsigned(0x00280006, 1)];
  expect(choose(area, inPlanes)).toEqual({ kind: "refused", reason: "mask-layout" });
});
