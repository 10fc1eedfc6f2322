import { expect, it } from "vitest";
import { ALL_ROWS, choiceBody, choose, countChosen, isChosen, NO_ROWS } from "./choice.ts";
import { bodyOf, EMPTY_WISH } from "./wish.ts";

it("asks for what was typed, and for nothing that was left empty", () => {
  const place = { project: "lung", archive: "vna" };
  expect(bodyOf({ ...EMPTY_WISH, ...place, patient: " 4711 " })).toEqual({
    ...place,
    queries: [{ keys: ["PatientID=4711"] }],
  });
  const typed = { from: "2026-01-31", to: "-7d", modality: "CT", description: "/chest/i", most: "20" };
  const keys = " StationName=CT1 \n\nAccessionNumber=A*";
  expect(bodyOf({ ...EMPTY_WISH, ...place, ...typed, keys, everything: true })).toEqual({
    ...{ ...place, maximumStudies: 20, yesAll: true },
    queries: [
      {
        keys: ["StationName=CT1", "AccessionNumber=A*"],
        ...{ from: "20260131", to: "-7d", modality: "CT", description: "/chest/i" },
      },
    ],
  });
});

it("chooses all rows but some, or only some", () => {
  const butTwo = choose(choose(ALL_ROWS, [9, 2, 3], false), [3], true);
  expect(choiceBody(butTwo)).toEqual({ without: [2, 9] });
  expect(countChosen(butTwo, 40)).toBe(38);
  expect([1, 2].map((row) => isChosen(butTwo, row))).toEqual([true, false]);
  const onlyTwo = choose(choose(NO_ROWS, [9, 2, 3], true), [3], false);
  expect(choiceBody(onlyTwo)).toEqual({ only: [2, 9] });
  expect(countChosen(onlyTwo, 40)).toBe(2);
  expect([1, 2].map((row) => isChosen(onlyTwo, row))).toEqual([false, true]);
});
