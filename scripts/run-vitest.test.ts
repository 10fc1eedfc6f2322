import { expect, it } from "vitest";
import { closingLine, countsOf } from "./run-vitest.ts";

const NOTHING = { numPassedTests: 0, numFailedTests: 0, numPendingTests: 0, numTodoTests: 0, testResults: [] };

it("counts what vitest reports", () => {
  const counts = countsOf({ ...NOTHING, numPassedTests: 12, numFailedTests: 1, numPendingTests: 3 });
  expect(closingLine(counts)).toBe("12 passed, 1 failed, 3 skipped");
});

it("counts a file that could not be loaded as one failure", () => {
  const testResults = [
    { status: "failed", assertionResults: [] },
    { status: "failed", assertionResults: [{ status: "passed" }, { status: "failed" }] },
    { status: "passed", assertionResults: [{ status: "passed" }] },
  ];
  expect(countsOf({ ...NOTHING, numPassedTests: 2, numFailedTests: 1, testResults }).failed).toBe(2);
});
