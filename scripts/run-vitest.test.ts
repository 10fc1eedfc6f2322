import { expect, it } from "vitest";
import { closingLine, countsOf, type VitestRun, withSecondTry } from "./run-vitest.ts";

const NOTHING = { numPassedTests: 0, numFailedTests: 0, numPendingTests: 0, numTodoTests: 0, testResults: [] };

it("counts what vitest reports", () => {
  const counts = countsOf({ ...NOTHING, numPassedTests: 12, numFailedTests: 1, numPendingTests: 3 });
  expect(closingLine(counts)).toBe("12 passed, 1 failed, 3 skipped");
});

it("counts a file that could not be loaded as one failure", () => {
  const testResults = [
    { name: "a", status: "failed", assertionResults: [] },
    { name: "b", status: "failed", assertionResults: [{ status: "passed" }, { status: "failed" }] },
    { name: "c", status: "passed", assertionResults: [{ status: "passed" }] },
  ];
  expect(countsOf({ ...NOTHING, numPassedTests: 2, numFailedTests: 1, testResults }).failed).toBe(2);
});

const run = (failed: number, failedFiles: readonly string[], ok = failed === 0): VitestRun => ({
  ...{ ok, passed: 10 - failed, failed, skipped: 0, failedFiles },
});

it("runs the few files in which something failed once more, and believes the second time", async () => {
  const first = run(2, ["a.test.ts", "b.test.ts"]);
  const asked: unknown[] = [];
  const again = (second: VitestRun) => async (files: readonly string[]) => {
    asked.push(files);
    return second;
  };
  expect(await withSecondTry(first, again(run(0, [])))).toMatchObject({ ok: true, passed: 10, failed: 0 });
  expect(await withSecondTry(first, again(run(1, ["a.test.ts"])))).toMatchObject({ ok: false, passed: 9, failed: 1 });
  expect(asked).toEqual([first.failedFiles, first.failedFiles]);
});

it("runs nothing again where much failed, or something that is no test", async () => {
  const never = () => Promise.reject(new Error("run again"));
  const many = run(5, ["a", "b", "c", "d", "e"]);
  const outside = run(1, [], false);
  for (const first of [run(0, []), many, outside]) expect(await withSecondTry(first, never)).toBe(first);
});
