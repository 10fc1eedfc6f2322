import fc from "fast-check";
import { expect, it } from "vitest";
import { pythonFloat, pythonText, readPythonJson } from "./python-json.ts";

it("reads all JSON as JSON.parse does", () => {
  fc.assert(
    fc.property(fc.json(), fc.constantFrom(undefined, 2, "\t"), (text, indent) => {
      const value: unknown = JSON.parse(text);
      const laidOut = indent === undefined ? text : JSON.stringify(value, undefined, indent);
      expect(readPythonJson(laidOut)).toEqual({ value, problem: undefined });
    }),
  );
});

it("agrees with JSON.parse on what is no JSON, but for the words that Python has besides", () => {
  fc.assert(
    fc.property(fc.json(), fc.nat(), fc.constantFrom(...'{}[],:"\\ue1.-\n\u0001é'), (text, place, character) => {
      const at = place % (text.length + 1);
      const changed = text.slice(0, at) + character + text.slice(at);
      const { problem } = readPythonJson(changed);
      const isJson = ((): boolean => {
        try {
          JSON.parse(changed);
          return true;
        } catch {
          return false;
        }
      })();
      expect(problem === undefined).toBe(isJson);
    }),
  );
});

/** As Python 3.13's json.loads. */
it.each([
  ["", 0, "Expecting value"],
  ['"abc', 0, "Unterminated string starting at"],
  ['["a\\', 1, "Unterminated string starting at"],
  ['"a\\x"', 2, "Invalid \\escape"],
  ['"\\u12g4"', 2, "Invalid \\uXXXX escape"],
  ['"a\u0001"', 2, "Invalid control character at"],
  ['{"a":1,}', 6, "Illegal trailing comma before end of object"],
  ["[1,]", 2, "Illegal trailing comma before end of array"],
  ["[1 2]", 3, "Expecting ',' delimiter"],
  // Python counts characters, not their halves.
  ['["😀" 1]', 5, "Expecting ',' delimiter"],
])("says where %j is no JSON", (text, at, error) => {
  expect(readPythonJson(text)).toEqual({ value: undefined, problem: { at, error } });
});

it("reads Python's words for numbers that JSON has not", () => {
  expect(readPythonJson("[NaN, Infinity, -Infinity, -0.0]").value).toEqual([Number.NaN, Infinity, -Infinity, -0]);
});

it("ends at a depth that no message has", () => {
  expect(readPythonJson("[".repeat(1_000_000)).problem).toEqual({ at: 257, error: "Nested too deeply" });
});

it.each([
  [0, "0.0"],
  [-0, "-0.0"],
  [0.1, "0.1"],
  [1e15, "1000000000000000.0"],
  [1e16, "1e+16"],
  [123456789012345680, "1.2345678901234568e+17"],
  [1e-4, "0.0001"],
  [0.00001, "1e-05"],
  [-1.5e300, "-1.5e+300"],
  [Number.NEGATIVE_INFINITY, "-inf"],
  [Number.NaN, "nan"],
])("writes %d as Python does", (value, text) => {
  expect(pythonFloat(value)).toBe(text);
});

it.each([
  ["as it is", "as it is"],
  [null, "None"],
  [true, "True"],
  [1.5, "1.5"],
  [["a", { b: false }], "['a', {'b': False}]"],
  [{ toString: 1, valueOf: 1 }, "{'toString': 1, 'valueOf': 1}"],
])("says %j as Python's str() does", (value, text) => {
  expect(pythonText(value)).toBe(text);
});
