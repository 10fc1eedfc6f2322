import { mkdir, mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { startDcmqrscp, startStorescp } from "../../../../test/peers/dcmtk.ts";
import { runProgram } from "../../../../test/peers/process.ts";
import { requirePeer } from "../../../../test/peers/require-peer.ts";
import { sampleCt, writeSample } from "../../../../test/peers/sample-objects.ts";
import { capture, runCli } from "../../../../test/support/cli.ts";

const OBJECTS = [1, 2, 3].map((instance) => sampleCt(7, 1, instance));
const STUDY = `StudyInstanceUID=${OBJECTS[0]?.studyInstanceUid}`;
const NAMES = OBJECTS.map(({ sopInstanceUid }) => `${sopInstanceUid}.dcm`);

let folder = "";
let files: readonly string[] = [];
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "radferry-dcmtk-"));
  for (const name of ["source", "in", "archive"]) await mkdir(join(folder, name));
  files = await Promise.all(OBJECTS.map((object) => writeSample(join(folder, "source"), object)));
});
afterEach(() => rm(folder, { recursive: true }));

async function listening(work: (port: number) => Promise<void>): Promise<void> {
  const stop = new AbortController();
  const ready = Promise.withResolvers<string>();
  const args = ["dicom", "receive", "--port", "0", "--aet", "RADFERRY", "--out", "in", "--json"];
  const running = runCli(args, { workingFolder: folder, stop: stop.signal, stdout: capture(ready.resolve) });
  await work(JSON.parse(await ready.promise).port);
  stop.abort();
  expect(await running).toMatchObject({ exitCode: 0 });
}

describe.runIf(requirePeer("storescu"))("with storescu", () => {
  it("receives what it sends", async () => {
    await listening(async (port) => {
      const args = ["-aec", "RADFERRY", "127.0.0.1", String(port), ...files];
      expect(await runProgram("storescu", args, folder)).toMatchObject({ exitCode: 0 });
    });
    expect((await readdir(join(folder, "in"))).sort()).toEqual(NAMES);
  });
});

describe.runIf(requirePeer("storescp"))("with storescp", () => {
  it("sends to it", async () => {
    await using peer = await startStorescp({ aeTitle: "STORE", storageDir: join(folder, "archive") });
    const { exitCode, stdout } = await runCli([
      "dicom",
      "store",
      `STORE@127.0.0.1:${peer.port}`,
      join(folder, "source"),
      "--json",
    ]);
    expect(exitCode).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ sent: 3, failed: 0 });
    expect(await readdir(join(folder, "archive"))).toHaveLength(3);
  });
});

describe.runIf(requirePeer("dcmqrscp"))("with dcmqrscp", () => {
  it("stores, finds, moves and gets", async () => {
    await listening(async (port) => {
      await using peer = await startDcmqrscp({
        aeTitle: "ARCHIVE",
        storageDir: join(folder, "archive"),
        moveDestinations: [{ aeTitle: "RADFERRY", port }],
      });
      const address = `ARCHIVE@127.0.0.1:${peer.port}`;
      const ask = async (verb: string, ...args: readonly string[]) => {
        const { exitCode, stdout } = await runCli(["dicom", verb, address, ...args, "--json"], {
          workingFolder: folder,
        });
        return { exitCode, document: JSON.parse(stdout) };
      };
      expect(await ask("echo")).toMatchObject({ exitCode: 0 });
      expect(await ask("store", ...files)).toMatchObject({ exitCode: 0, document: { sent: 3 } });
      expect((await ask("find", "-k", STUDY, "--level", "IMAGE")).document).toHaveLength(3);
      expect(await ask("move", "-k", STUDY, "--dest", "RADFERRY")).toMatchObject({
        exitCode: 0,
        document: { completed: 3 },
      });
      expect(await ask("get", "-k", STUDY, "--out", "got")).toMatchObject({ exitCode: 0, document: { stored: 3 } });
    });
    expect((await readdir(join(folder, "in"))).sort()).toEqual(NAMES);
    expect((await readdir(join(folder, "got"))).sort()).toEqual(NAMES);
  });
});
