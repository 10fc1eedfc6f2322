import { existsSync } from "node:fs";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
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
    readonly status: string;
    readonly assertionResults: readonly { status: string }[];
  }[];
}

export interface VitestRun extends TestCounts {
  /** False also when something outside the tests failed, such as an error that nobody caught. */
  readonly ok: boolean;
}

/**
 * That of `bin/radferry`. Without one every thread that a test starts strips the types of what it loads by an engine of its own, in WebAssembly:
 * it takes as long as opening a store, and V8 13.6 sometimes ends the process over it (`Check failed: jit_page.has_value()`).
 */
const COMPILE_CACHE = join(ROOT, "node_modules", ".cache", "radferry");

/** Runs vitest with its output passed on live; counts come from its report. */
export async function runVitest(name: string, args: readonly string[]): Promise<VitestRun> {
  const folder = await mkdtemp(join(tmpdir(), "radferry-vitest-"));
  const reportFile = join(folder, "report.json");
  try {
    const ok = await runStep({
      name,
      program: "vitest",
      args: ["run", "--reporter=default", "--reporter=json", `--outputFile.json=${reportFile}`, ...args],
      environment: { ...corpusEnvironment(), NODE_COMPILE_CACHE: process.env.NODE_COMPILE_CACHE ?? COMPILE_CACHE },
    });
    const report = await readFile(reportFile, "utf8").catch(() => undefined);
    const counts = report === undefined ? { passed: 0, failed: 1, skipped: 0 } : countsOf(JSON.parse(report));
    return { ok, ...counts, failed: ok ? counts.failed : Math.max(1, counts.failed) };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
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
