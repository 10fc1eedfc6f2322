import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { mkdir, readdir, watch, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { put } from "../../../../src/deid/testing/objects.ts";
import { temporaryFolder } from "../../../support/temporary-folder.ts";
import { type RunOutput, readOutput } from "./studies.ts";

const PROGRAM = fileURLToPath(new URL("../../../../bin/radferry", import.meta.url));
const OTHER_HOST = { TZ: "Pacific/Kiritimati", LANG: "tr_TR.UTF-8", LC_ALL: "tr_TR.UTF-8" };

export interface KilledRun {
  /** The run that was killed had not delivered everything. */
  readonly isInterrupted: boolean;
  /** Nothing of the killed run lies about. */
  readonly isSwept: boolean;
  /** Of the run after it. */
  readonly again: Omit<RunOutput, "result">;
  /** Of a run that nobody disturbed, on a host with other settings. */
  readonly whole: Omit<RunOutput, "result">;
}

/** `radferry deid run`, killed when its first study is whole, then run once more. */
export async function kill9AndRerun(objects: readonly Uint8Array[]): Promise<KilledRun> {
  await using folder = await temporaryFolder();
  for (const [index, bytes] of objects.entries()) await put(join(folder.path, "in", `${index}`), bytes);
  await writeFile(join(folder.path, "key"), `${"5a".repeat(32)}\n`, { mode: 0o600 });
  const start = (output: string, environment: NodeJS.ProcessEnv = {}): ChildProcess => {
    const env = { ...process.env, ...environment };
    const args = ["deid", "run", "in", output, "--profile", "research", "--key-file", "key"];
    return spawn(PROGRAM, args, { cwd: folder.path, env, stdio: "ignore" });
  };
  const killed = join(folder.path, "killed");
  await mkdir(killed);
  const first = start("killed");
  const closed = once(first, "close");
  await Promise.race([reportIn(killed), closed]);
  first.kill("SIGKILL");
  await closed;
  const delivered = (await readdir(killed, { recursive: true })).filter((name) => name.endsWith("report.json"));
  const studies = new Set(delivered).size;

  await ended(start("killed"));
  await ended(start("whole", OTHER_HOST));
  const [again, whole] = [await readOutput(killed), await readOutput(join(folder.path, "whole"))];
  const isSwept = !existsSync(join(killed, ".radferry"));
  return { isInterrupted: studies < whole.reports.length, isSwept, again, whole };
}

/** Until the first study is whole. */
async function reportIn(folder: string): Promise<void> {
  for await (const { filename } of watch(folder, { recursive: true })) if (filename?.endsWith(".json")) return;
}

async function ended(child: ChildProcess): Promise<void> {
  const [exitCode] = await once(child, "close");
  if (exitCode !== 0) throw new Error(`deid run ended with ${exitCode}`);
}
