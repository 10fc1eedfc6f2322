import { expect, it } from "vitest";
import { integersIn, plainInteger } from "./plain-integer.ts";

it.each([
  ["7234561", "7234561"],
  ["007234561", "7234561"],
  ["+7234561.000", "7234561"],
  ["-7.234561E6", "7234561"],
  ["723456.1e+1", "7234561"],
  ["7234561000e-3", "7234561"],
  ["7.234561e+006", "7234561"],
  ["12E30", `12${"0".repeat(30)}`],
])("writes %s as %s", (text, plain) => expect(plainInteger(text)).toBe(plain));

it.each(["", "723456", "000123", "7234561.5", "7.2345614E6", "7E-9", "1.2.3", "x7234561", "7e999"])(
  "has nothing to say of %o",
  (text) => expect(plainInteger(text)).toBeUndefined(),
);

it("finds numbers between letters", () => {
  expect(integersIn("hosp007234561a7654321")).toEqual(["7234561", "7654321"]);
  expect(integersIn("a12b345c6789")).toEqual([]);
});
