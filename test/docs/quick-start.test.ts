import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { expect, it } from "vitest";
import { freePort } from "../peers/free-port.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";
import { ROOT } from "../tidy/repository.ts";
import { blocksOf } from "./code-blocks.ts";

const LONGEST_MS = 90_000;

it(
  "does what the quick start shows, pasted into a shell",
  async () => {
    await using folder = await temporaryFolder();
    const [archivePort, ownPort] = [await freePort(), await freePort()];
    const pasted = blocksOf("quick-start.md", "sh")
      .join("")
      .replaceAll("../", `${ROOT}/`)
      .replaceAll("4242", `${archivePort}`)
      .replaceAll("11112", `${ownPort}`)
      .replace("home: home\n", "home: home\nhttp: { port: 0 }\n");
    const script = join(folder.path, "pasted.sh");
    await writeFile(script, `set -eu\n${pasted}`);
    const { stdout, exitCode } = await runInGroup(script, folder.path);
    expect(stdout).not.toMatch(/^FAIL/m);
    expect(stdout).toContain("Everything is in order.");
    expect(stdout).toMatch(/radferry is ready; DICOM port \d+, HTTP port \d+/);
    expect(stdout).toContain('"total":4,"states":{"delivered":3,"not-found":1}');
    expect(exitCode).toBe(0);
    const accounted = await readFile(join(folder.path, "first/accounted.csv"), "utf8");
    const rows = accounted.trim().split("\n").slice(1);
    expect(rows.map((row) => /^([\w-]+),.*?,(delivered|not-found|refused)/.exec(row)?.slice(1))).toEqual([
      ["one", "delivered"],
      ["several", "delivered"],
      ["nobody-has-it", "not-found"],
      ["wildcard", "refused"],
    ]);
  },
  LONGEST_MS,
);

/** What is started in the background ends with it, whatever happens. */
async function runInGroup(
  script: string,
  folder: string,
): Promise<{ readonly stdout: string; readonly exitCode: unknown }> {
  const node = join(process.execPath, "..");
  const env = { ...process.env, PATH: `${join(ROOT, "bin")}:${node}:${process.env.PATH}` };
  const stdio = ["ignore", "pipe", "inherit"] as const;
  const child = spawn("sh", [script], { cwd: folder, env, stdio: [...stdio], detached: true });
  const endAll = (): void => {
    try {
      process.kill(-(child.pid ?? 0), "SIGKILL");
    } catch {
      // Nobody of the group is left.
    }
  };
  const timer = setTimeout(endAll, LONGEST_MS - 10_000);
  try {
    const [stdout, [exitCode]] = await Promise.all([text(child.stdout), once(child, "exit")]);
    return { stdout, exitCode };
  } finally {
    clearTimeout(timer);
    endAll();
  }
}
