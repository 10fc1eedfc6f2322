import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { runCodec } from "./run-codec.ts";

let folder = "";
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "codec-"));
});
afterEach(() => rm(folder, { recursive: true }));

it("ends when the work is stopped before the program has begun", async () => {
  const inputPath = join(folder, "in.dcm");
  await writeFile(inputPath, "");
  const stop = new AbortController();
  const outputPath = join(folder, "out.dcm");
  const limits = { timeoutMs: 2_000, maximumOutputBytes: 10 };
  const running = runCodec({ command: ["/bin/sleep", "600"], inputPath, outputPath, folder, ...limits }, stop.signal);
  stop.abort(new Error("stopped"));
  await expect(running).rejects.toThrow("stopped");
});
