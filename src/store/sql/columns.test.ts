import { expect, it } from "vitest";
import { flag, integer, keyOf, list, oneOf, optional, recordReader, text } from "./columns.ts";

const readCar = recordReader({
  name: text,
  doors: optional(integer),
  isElectric: flag,
  colours: list,
  state: keyOf({ parked: {}, driving: {} }, "parked"),
  gear: oneOf(["manual", "automatic"]),
});
const ROW = { name: "Ada", doors: null, isElectric: 1, colours: '["red"]', state: "driving", gear: "manual", extra: 3 };

it("reads a row as a record, NULL as undefined, and leaves other columns behind", () => {
  expect(readCar(ROW)).toEqual({
    name: "Ada",
    doors: undefined,
    isElectric: true,
    colours: ["red"],
    state: "driving",
    gear: "manual",
  });
});

it("reads a name that its table does not hold as the one given for that", () => {
  expect(readCar({ ...ROW, state: "flying" }).state).toBe("parked");
});

it.each([
  { name: 7 },
  { name: null },
  { doors: "four" },
  { isElectric: "yes" },
  { colours: '{"first":"red"}' },
  { colours: "[1]" },
  { gear: "none" },
  { state: undefined, gear: "constructor" },
])("refuses %o as damage", (change) => {
  expect(() => readCar({ ...ROW, ...change })).toThrow(expect.objectContaining({ code: "STORE_DAMAGED" }));
});
