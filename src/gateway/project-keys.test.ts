import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { runCli } from "../../test/support/cli.ts";
import { temporaryFolder } from "../../test/support/temporary-folder.ts";
import { loadSettings } from "../config/load-settings.ts";
import { toGatewayError } from "../errors/gateway-error.ts";
import { openSqliteStore } from "../store/sqlite/open.ts";
import { systemClock } from "../units/clock.ts";
import { silentLogger } from "../units/logger.ts";
import { systemRandom } from "../units/random.ts";
import { openGateway } from "./open-gateway.ts";
import { ownChecks } from "./own-checks.ts";

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

/** What `doctor` says of the keys. */
async function doctorOfKeys(): Promise<readonly string[]> {
  const { settings } = await loadSettings({ environment: {}, cwd: folder.path });
  await using store = await openSqliteStore({ path: join(folder.path, "home", "radferry.db"), logger: silentLogger });
  const checks = ownChecks(settings, { store, clock: systemClock, random: systemRandom });
  const ofKeys = checks.filter(({ what }) => what.endsWith("has its key"));
  const signal = AbortSignal.timeout(10_000);
  return await Promise.all(
    ofKeys.map(async ({ examine }) => {
      try {
        return await examine(signal);
      } catch (thrown) {
        return toGatewayError(thrown).code;
      }
    }),
  );
}

it("has doctor say of a key what the next start will say of it, and change nothing", async () => {
  await openWorker();
  await deliverSomething();
  const [asItIs] = await doctorOfKeys();
  expect(asItIs).toMatch(/^yes, [0-9a-f]{8}$/);
  await giveKey("22");
  expect(await doctorOfKeys()).toEqual(["PROJECT_KEY_CHANGED"]);
  expect(await doctorOfKeys()).toEqual(["PROJECT_KEY_CHANGED"]);
  const heart =
    "  - { name: heart, archives: [vna], destinations: [research-store], profile: basic, keyFile: heart.key }\n";
  await giveKey("11");
  await writeFile(join(folder.path, "radferry.yaml"), SETTINGS + heart);
  expect(await doctorOfKeys()).toEqual([asItIs, "KEY_FILE_MISSING"]);
  await writeFile(join(folder.path, "heart.key"), `${"11".repeat(32)}\n`, { mode: 0o600 });
  expect(await doctorOfKeys()).toEqual(["PROJECT_KEY_SHARED", "PROJECT_KEY_SHARED"]);
});

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
