import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { mkdir, readdir, readFile, watch, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, it } from "vitest";
import { ctImage, part10Bytes, put, text } from "../../src/deid/testing/objects.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";

const PROGRAM = fileURLToPath(new URL("../../bin/radferry", import.meta.url));
const STUDIES = 12;
const SLICES = 8;

const ofStudy = (study: number, instance: number) =>
  part10Bytes(
    ctImage([
      text(0x0020000d, `1.2.826.0.1.3680043.9.7.1.${study}`),
      text(0x0020000e, `1.2.826.0.1.3680043.9.7.2.${study}`),
      text(0x00080018, `1.2.826.0.1.3680043.9.7.3.${study}.${instance}`),
    ]),
  );

/** SHA-256 of every object below a folder, by its path there. */
async function digests(folder: string): Promise<ReadonlyMap<string, string>> {
  const names = (await readdir(folder, { recursive: true })).filter((name) => name.endsWith(".dcm")).sort();
  const digest = async (name: string) => createHash("sha256").update(await readFile(join(folder, name)));
  return new Map(await Promise.all(names.map(async (name) => [name, (await digest(name)).digest("hex")] as const)));
}

/** Until the first study is whole. */
async function reportIn(events: AsyncIterable<{ readonly filename: string | null }>): Promise<void> {
  for await (const { filename } of events) if (filename?.endsWith(".json")) return;
}

it("a run that is killed and repeated ends as one that was not", async () => {
  await using folder = await temporaryFolder();
  for (let study = 1; study <= STUDIES; study += 1) {
    for (let instance = 1; instance <= SLICES; instance += 1) {
      await put(join(folder.path, "in", `${study}-${instance}`), await ofStudy(study, instance));
    }
  }
  await writeFile(join(folder.path, "key"), `${"5a".repeat(32)}\n`, { mode: 0o600 });
  const start = (output: string) =>
    spawn(PROGRAM, ["deid", "run", "in", output, "--profile", "research", "--key-file", "key"], { cwd: folder.path });

  const killed = join(folder.path, "killed");
  await mkdir(killed);
  const watching = watch(killed, { recursive: true });
  const first = start("killed");
  const closed = once(first, "close");
  await Promise.race([reportIn(watching), closed]);
  first.kill("SIGKILL");
  await closed;

  const again = start("killed");
  const [exitCode] = await once(again, "close");
  const [wholeCode] = await once(start("whole"), "close");
  expect([exitCode, wholeCode]).toEqual([0, 0]);
  const whole = await digests(join(folder.path, "whole"));
  expect(whole.size).toBe(STUDIES * SLICES);
  expect(await digests(killed)).toEqual(whole);
  expect(existsSync(join(killed, ".radferry"))).toBe(false);
});
