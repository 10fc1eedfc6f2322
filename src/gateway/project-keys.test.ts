import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { runCli } from "../../test/support/cli.ts";
import { temporaryFolder } from "../../test/support/temporary-folder.ts";
import { loadSettings } from "../config/load-settings.ts";
import { openSqliteStore } from "../store/sqlite/open.ts";
import { silentLogger } from "../units/logger.ts";
import { openGateway } from "./open-gateway.ts";

const SETTINGS = `
home: ./home
dicom: { port: 0 }
staging: { reserveGigabytes: 0 }
archives:
  - { name: vna, kind: dimse, address: VNA@127.0.0.1:104, retrieve: get }
destinations:
  - { name: research-store, kind: folder, path: ./research }
projects:
  - { name: lung, archives: [vna], destinations: [research-store], profile: research, keyFile: lung.key }
`;

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
beforeEach(async () => {
  folder = await temporaryFolder();
  await writeFile(join(folder.path, "radferry.yaml"), SETTINGS);
  await giveKey("11");
});
afterEach(() => folder[Symbol.asyncDispose]());

const giveKey = (byte: string) => writeFile(join(folder.path, "lung.key"), `${byte.repeat(32)}\n`, { mode: 0o600 });

async function openWorker(): Promise<void> {
  const { settings } = await loadSettings({ environment: {}, cwd: folder.path });
  await using _gateway = await openGateway({ settings, mode: "worker", logger: silentLogger });
}

async function deliverSomething(): Promise<void> {
  await using store = await openSqliteStore({ path: join(folder.path, "home", "radferry.db"), logger: silentLogger });
  const row = { rowNumber: 1, studyInstanceUid: "1.1", patientId: undefined, accessionNumber: undefined };
  const request = { ...row, seriesInstanceUids: undefined, participantId: undefined, priority: 3, cells: [] };
  await store.submitCohort({ project: "lung", columns: [], requests: [request], refused: [] }, 1);
  const claim = await store.claim("worker", 1_000, 1);
  if (claim === undefined) throw new Error("nothing was due");
  const sopInstanceUid = "1.1.1";
  await store.change(claim.lease, { ledger: [{ kind: "received", sopInstanceUid, seriesInstanceUid: "1.2" }] }, 2);
  await store.change(claim.lease, { ledger: [{ kind: "delivered", sopInstanceUid }] }, 3);
  await store.settle(claim.lease, { state: "delivered", attempts: 1 }, 4);
}

it("opens no two projects with one key, in whatever files it is", async () => {
  const heart =
    "  - { name: heart, archives: [vna], destinations: [research-store], profile: basic, keyFile: heart.key }\n";
  await writeFile(join(folder.path, "radferry.yaml"), SETTINGS + heart);
  await writeFile(join(folder.path, "heart.key"), `${"11".repeat(32)}\n`, { mode: 0o600 });
  const details = { project: "heart", other: "lung" };
  await expect(openWorker()).rejects.toMatchObject({ code: "PROJECT_KEY_SHARED", details });
  await writeFile(join(folder.path, "heart.key"), `${"22".repeat(32)}\n`, { mode: 0o600 });
  await openWorker();
});

it("goes on with the key a project's studies were delivered with, and with another only when that is asked for", async () => {
  await openWorker();
  await giveKey("22");
  await openWorker();
  await deliverSomething();
  await openWorker();
  await giveKey("33");
  await expect(openWorker()).rejects.toMatchObject({ code: "PROJECT_KEY_CHANGED", details: { project: "lung" } });

  const world = { workingFolder: folder.path, openGateway };
  const result = await runCli(["project", "change-key", "lung", "--json"], world);
  expect(result).toMatchObject({ exitCode: 0, stderr: "" });
  const document: { changed: boolean; keys: { forced: boolean }[] } = JSON.parse(result.stdout);
  expect([document.changed, ...document.keys.map(({ forced }) => forced)]).toEqual([true, false, false, true]);
  await openWorker();
  expect((await runCli(["project", "change-key", "heart"], world)).exitCode).toBe(2);
});
