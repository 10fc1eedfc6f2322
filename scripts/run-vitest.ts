import { existsSync } from "node:fs";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { ROOT, runStep } from "./run-step.ts";

export interface TestCounts {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
}

/** What is read of vitest's JSON report. */
interface VitestReport {
  readonly numPassedTests: number;
  readonly numFailedTests: number;
  readonly numPendingTests: number;
  readonly numTodoTests: number;
  readonly testResults: readonly {
    /** Path of the file. */
    readonly name: string;
    readonly status: string;
    readonly assertionResults: readonly { status: string }[];
  }[];
}

export interface VitestRun extends TestCounts {
  /** False also when something outside the tests failed, such as an error that nobody caught. */
  readonly ok: boolean;
  /** Test files in which something failed. */
  readonly failedFiles: readonly string[];
}

/** More files than these do not fail by bad luck. */
const MOST_BY_CHANCE = 4;

/** Runs vitest with its output passed on live; counts come from its report. */
export async function runVitest(name: string, args: readonly string[]): Promise<VitestRun> {
  const folder = await mkdtemp(join(tmpdir(), "radferry-vitest-"));
  const reportFile = join(folder, "report.json");
  try {
    const ok = await runStep({
      name,
      program: "vitest",
      args: ["run", "--reporter=default", "--reporter=json", `--outputFile.json=${reportFile}`, ...args],
      environment: corpusEnvironment(),
    });
    const report = await readFile(reportFile, "utf8").catch(() => undefined);
    if (report === undefined) return { ok: false, passed: 0, failed: 1, skipped: 0, failedFiles: [] };
    const told: VitestReport = JSON.parse(report);
    const counts = countsOf(told);
    return { ok, ...counts, failed: ok ? counts.failed : Math.max(1, counts.failed), failedFiles: failedFilesOf(told) };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/**
 * Tests start programs of others, on ports that anybody may take, on a machine that is busy with all of them: the few files in which something failed
 * are run once more, with nothing beside them, and named. What fails then has failed; so has what failed outside of a test.
 */
export async function withSecondTry(
  first: VitestRun,
  run: (files: readonly string[]) => Promise<VitestRun>,
): Promise<VitestRun> {
  const { failedFiles, failed, passed } = first;
  if (first.ok || failedFiles.length === 0 || failedFiles.length > MOST_BY_CHANCE) return first;
  const second = await run(failedFiles);
  if (second.ok) console.log(`failed at first, passed alone: ${failedFiles.join(", ")}`);
  return { ...first, ok: second.ok, failed: second.failed, passed: passed + Math.max(0, failed - second.failed) };
}

function failedFilesOf({ testResults }: VitestReport): readonly string[] {
  return testResults.flatMap(({ name, status }) => (status === "failed" ? [relative(ROOT, name)] : []));
}

/** A file that could not be loaded has no test of its own to fail: it counts as one. */
export function countsOf(report: VitestReport): TestCounts {
  const unloadable = report.testResults.filter(
    ({ status, assertionResults }) =>
      status === "failed" && !assertionResults.some((assertion) => assertion.status === "failed"),
  );
  return {
    passed: report.numPassedTests,
    failed: report.numFailedTests + unloadable.length,
    skipped: report.numPendingTests + report.numTodoTests,
  };
}

export function closingLine({ passed, failed, skipped }: TestCounts): string {
  return `${passed} passed, ${failed} failed, ${skipped} skipped`;
}

/** The folder of real files: as named, else beside the checkout. Without one the tests that need it skip, after one line. */
function corpusEnvironment(): Readonly<Record<string, string | undefined>> {
  const folder = process.env.RADFERRY_CORPUS ?? join(ROOT, "..", "shared", "corpus");
  if (existsSync(folder)) return { RADFERRY_CORPUS: folder };
  console.log("no folder of real DICOM files (RADFERRY_CORPUS): tests with them are skipped");
  return { RADFERRY_CORPUS: undefined };
}
