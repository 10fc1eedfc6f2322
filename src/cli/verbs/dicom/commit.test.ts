import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { freePort } from "../../../../test/peers/free-port.ts";
import { startOrthanc } from "../../../../test/peers/orthanc.ts";
import { requirePeer } from "../../../../test/peers/require-peer.ts";
import { sampleCt, writeSample } from "../../../../test/peers/sample-objects.ts";
import { runCli } from "../../../../test/support/cli.ts";
import { startScriptedProvider } from "../../../network/dimse/testing/scripted-provider.ts";

let folder = "";
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "radferry-commit-"));
});
afterEach(() => rm(folder, { recursive: true }));

function commit(port: number, ...args: readonly string[]) {
  return runCli(["dicom", "commit", `ARCHIVE@127.0.0.1:${port}`, ...args, "--json"], { workingFolder: folder });
}

it("says of each file why its instance may be lost: the archive refuses, or says nothing in time", async () => {
  const path = await writeSample(folder, sampleCt(1, 1, 1));
  await using refusing = await startScriptedProvider({
    onRequest: ({ session, message }) => session.respond(message, { status: 0x0213 }),
  });
  const refused = await commit(refusing.port, path);
  expect(refused.exitCode).toBe(1);
  expect(JSON.parse(refused.stdout)).toEqual({
    peer: `ARCHIVE@127.0.0.1:${refusing.port}`,
    committed: 0,
    notCommitted: 1,
    files: [{ file: path, committed: false, reason: "0213H", message: "Resource limitation" }],
  });

  await using silent = await startScriptedProvider({
    onRequest: ({ session, message }) => session.respond(message, { status: 0x0000 }),
  });
  const unanswered = await commit(silent.port, path, "--timeout", "0.05");
  expect(unanswered.exitCode).toBe(1);
  expect(JSON.parse(unanswered.stdout)).toMatchObject({
    files: [{ file: path, committed: false, code: "COMMITMENT_UNANSWERED" }],
  });
});

it("needs files, and a peer that knows storage commitment", async () => {
  await using deaf = await startScriptedProvider({ onRequest: () => {}, accepts: () => false });
  expect(JSON.parse((await commit(deaf.port, folder)).stdout)).toMatchObject({ error: { code: "NO_FILES_FOUND" } });
  await writeSample(folder, sampleCt(1, 1, 1));
  const { exitCode, stdout } = await commit(deaf.port, folder);
  expect([exitCode, JSON.parse(stdout)]).toEqual([
    1,
    { error: expect.objectContaining({ code: "NO_PRESENTATION_CONTEXT" }) },
  ]);
});

describe.skipIf(!requirePeer("Orthanc"))("with Orthanc", () => {
  it("tells which files' instances it keeps, by exit code and by name", async () => {
    const listen = await freePort();
    const moveDestinations = [{ aeTitle: "RADFERRY", port: listen }];
    await using orthanc = await startOrthanc({ aeTitle: "ARCHIVE", moveDestinations });
    const held = await writeSample(folder, sampleCt(1, 1, 1));
    const missing = await writeSample(folder, sampleCt(1, 1, 2));
    const unreadable = join(folder, "notes.txt");
    await writeFile(unreadable, "no DICOM");
    const stored = await runCli(["dicom", "store", `ARCHIVE@127.0.0.1:${orthanc.port}`, held]);
    expect(stored.exitCode).toBe(0);

    const port = ["--listen", String(listen)];
    expect((await commit(orthanc.port, held, ...port)).exitCode).toBe(0);
    const some = await commit(orthanc.port, folder, ...port);
    expect(some.exitCode).toBe(3);
    const document = JSON.parse(some.stdout);
    expect(document).toMatchObject({ committed: 1, notCommitted: 2 });
    expect(document.files).toEqual([
      { file: unreadable, committed: false, code: "NOT_DICOM", message: expect.any(String), details: { offset: 0 } },
      { file: held, committed: true, message: "committed" },
      { file: missing, committed: false, reason: "0112H", message: "No such object instance" },
    ]);
    const none = await commit(orthanc.port, missing, ...port);
    expect([none.exitCode, none.stderr]).toEqual([1, `RADFERRY listens on 127.0.0.1, port ${listen}\n`]);
  });
});
