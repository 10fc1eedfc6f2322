import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { delimiter, join } from "node:path";

export const ROOT = join(import.meta.dirname, "..");
const PROGRAMS = join(ROOT, "node_modules", ".bin");

export interface Step {
  /** What the step looks at, as its closing line says it. */
  readonly name: string;
  /** A program of the packages, or of the system. */
  readonly program: string;
  readonly args: readonly string[];
  readonly environment?: Readonly<Record<string, string | undefined>>;
}

/** Runs a step with its output passed on as it comes, and closes it with one line. */
export async function runStep(step: Step): Promise<boolean> {
  const startedMs = performance.now();
  const child = spawn(step.program, step.args, {
    cwd: ROOT,
    stdio: ["ignore", "inherit", "inherit"],
    env: { ...process.env, PATH: `${PROGRAMS}${delimiter}${process.env.PATH ?? ""}`, ...step.environment },
  });
  const passed = await succeeds(child);
  const seconds = ((performance.now() - startedMs) / 1000).toFixed(1);
  console.log(`${step.name}: ${passed ? "passed" : "FAILED"} in ${seconds} s`);
  return passed;
}

/** A signal to this process goes on to the child, so that nothing is left running. */
async function succeeds(child: ChildProcess): Promise<boolean> {
  const forward = (signal: NodeJS.Signals): void => void child.kill(signal);
  process.on("SIGINT", forward).on("SIGTERM", forward);
  try {
    const [exitCode] = await once(child, "close");
    return exitCode === 0;
  } catch (error) {
    console.error(`${child.spawnfile} could not be started: ${(error as NodeJS.ErrnoException).code}`);
    return false;
  } finally {
    process.off("SIGINT", forward).off("SIGTERM", forward);
  }
}
