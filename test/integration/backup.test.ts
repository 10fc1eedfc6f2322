import { chmod, copyFile, mkdir, readdir, readFile, rename, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { setTimeout as delay } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { stringify } from "yaml";
import { loadSettings } from "../../src/config/load-settings.ts";
import type { Settings } from "../../src/config/settings.ts";
import type { Gateway } from "../../src/gateway/gateway.ts";
import { openGateway } from "../../src/gateway/open-gateway.ts";
import { restoreHome } from "../../src/gateway/restore-home.ts";
import { silentLogger } from "../../src/units/logger.ts";
import { freePort } from "../peers/free-port.ts";
import { startPracticeArchive } from "../peers/practice-archive.ts";
import { runCli } from "../support/cli.ts";
import { startCountingStore } from "../support/counting-store.ts";
import { ctStudy } from "../support/rehearsal.ts";
import { openService, type Service } from "../support/service.ts";
import { makeSite, type Site } from "../support/site.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";

const SEND_MS = 20;
const studies = Array.from({ length: 8 }, (_, index) => ctStudy(700 + index, 3));

it("goes on from a backup of a working home to the same end: nothing is lost, nothing is delivered twice", async () => {
  await using opened = new AsyncDisposableStack();
  const { path: folder } = opened.use(await temporaryFolder());
  const dicomPort = await freePort();
  const faults = {
    async *send({ bytes }: { readonly bytes: Buffer }) {
      await delay(SEND_MS);
      yield bytes;
    },
  };
  const archive = opened.use(
    await startPracticeArchive({ studies, destinations: [`RADFERRY@127.0.0.1:${dicomPort}`], faults }),
  );
  const viewer = opened.use(await startCountingStore(0));
  const settings = await settingsOf(folder, { dicomPort, archive: archive.address, viewer: viewer.address });
  const backup = join(folder, "backup.db");
  {
    await using gateway = await openGateway({ settings, mode: "serve", logger: silentLogger });
    const file = join(folder, "wanted.csv");
    await writeFile(file, ["study_instance_uid", ...studies.map((study) => study.studyInstanceUid)].join("\n"));
    await gateway.operations.submitCohort(file, "trial");
    await delivered(gateway, 1);
    expect(await gateway.operations.backUp(backup)).toMatchObject({ jobs: studies.length });
    expect((await stat(backup)).mode & 0o777).toBe(0o600);
    // What is delivered from here on, the backup does not know of.
    await delivered(gateway, 5);
  }
  await rename(settings.home, `${settings.home}.lost`);
  expect(await restoreHome(backup, { settings })).toMatchObject({ jobs: studies.length });
  await using gateway = await openGateway({ settings, mode: "serve", logger: silentLogger });
  expect((await gateway.operations.overview()).states.delivered).toBeLessThan(5);
  await delivered(gateway, studies.length);
  for await (const study of gateway.operations.listStudies({}))
    expect(study).toMatchObject({ state: "delivered", verdict: "complete", delivered: study.expected });
  const instances = studies.reduce((sum, study) => sum + study.instances.length, 0);
  expect([...viewer.timesStored.values()]).toEqual(Array.from({ length: instances }, () => 1));
  const files = (await readdir(join(folder, "delivered"), { recursive: true })).filter((name) => name.endsWith(".dcm"));
  expect(files).toHaveLength(instances);
  expect(await gateway.operations.verifyAudit()).toMatchObject({ ok: true });
  const events = (await gateway.operations.readAudit({ limit: 1_000 })).map(({ event }) => event);
  expect(events).toEqual(expect.arrayContaining(["backup-made", "backup-restored"]));
}, 60_000);

async function delivered({ operations }: Gateway, studiesAtLeast: number): Promise<void> {
  for (let look = 0; look < 400; look += 1) {
    const { states } = await operations.overview();
    if ((states.delivered ?? 0) >= studiesAtLeast) return;
    await delay(50);
  }
  throw new Error("the studies were not delivered in time");
}

async function settingsOf(
  folder: string,
  { dicomPort, archive, viewer }: { readonly dicomPort: number; readonly archive: string; readonly viewer: string },
): Promise<Settings> {
  const values = {
    home: "home",
    dicom: { port: dicomPort },
    http: { port: 0 },
    staging: { reserveGigabytes: 0 },
    archives: [{ name: "practice", kind: "dimse", address: archive, availability: { associations: 1 } }],
    destinations: [
      { name: "folder", kind: "folder", path: "delivered" },
      { name: "viewer", kind: "dimse", address: viewer, confirm: "find" },
    ],
    projects: [
      { name: "trial", archives: ["practice"], destinations: ["folder", "viewer"], profile: "basic", keyFile: "key" },
    ],
  };
  await writeFile(join(folder, "key"), "0123456789abcdef".repeat(4), { mode: 0o600 });
  await writeFile(join(folder, "radferry.yaml"), stringify(values));
  return (await loadSettings({ file: join(folder, "radferry.yaml"), environment: {}, cwd: folder })).settings;
}

describe("a backup", () => {
  let site: Site;
  let backup: string;
  beforeAll(async () => {
    site = await makeSite({
      dicomPort: 11_112,
      archives: [{ name: "pacs", address: "PACS@127.0.0.1:104", retrieve: "get" }],
    });
    backup = join(site.folder, "good.db");
    await site.run("audit", "tail");
    expect(await site.run("db", "backup", "-o", backup)).toMatchObject({
      exitCode: 0,
      document: { leftOut: expect.arrayContaining([expect.stringContaining("key of the withdrawn list")]) },
    });
    await rm(site.home, { recursive: true });
  });
  afterAll(() => site[Symbol.asyncDispose]());

  it("never takes a file's place", async () => {
    const refused = { exitCode: 1, document: { error: { code: "BACKUP_FILE_EXISTS" } } };
    expect(await site.run("db", "backup", "-o", backup)).toMatchObject(refused);
    await rm(site.home, { recursive: true });
  });

  it("that was cut short is told as what it is, and left to who knows whether it still runs", async () => {
    const file = join(site.folder, "nightly.db");
    await writeFile(`${file}.part`, "half");
    for (const more of [[], ["--dry-run"]])
      expect(await site.run("db", "backup", "-o", file, ...more)).toMatchObject({
        exitCode: 1,
        document: { error: { code: "BACKUP_UNFINISHED", remedy: expect.stringContaining(".part") } },
      });
    expect(await readFile(`${file}.part`, "utf8")).toBe("half");
    await rm(site.home, { recursive: true });
  });

  it("is put into an empty home alone", async () => {
    await mkdir(site.home, { mode: 0o700 });
    await writeFile(join(site.home, "something"), "");
    expect((await site.run("db", "restore", backup)).document).toMatchObject({
      error: { code: "BACKUP_HOME_NOT_EMPTY" },
    });
    expect(await readdir(site.home)).toEqual(["something"]);
    await rm(site.home, { recursive: true });
  });

  const damages: Readonly<Record<string, (file: string) => void | Promise<void>>> = {
    BACKUP_FILE_UNREADABLE: (file) => rm(file),
    STORE_NOT_OURS: (file) => writeFile(file, Buffer.alloc(8_192, 1)),
    BACKUP_NOT_WHOLE: (file) => change(file, "DROP TABLE backup_facts"),
    STORE_SCHEMA_NEWER: (file) => change(file, "INSERT INTO schema_migrations VALUES (999, 'of tomorrow', 0)"),
    STORE_DAMAGED: (file) =>
      change(file, "PRAGMA foreign_keys = OFF; INSERT INTO releases VALUES (1, 99, 0, '', '', '', '')"),
    AUDIT_TRAIL_BROKEN: (file) =>
      change(file, "DROP TRIGGER audit_event_removed; DELETE FROM audit_events WHERE number = 1"),
  };
  it.each(Object.entries(damages))("is refused with %s, and the home stays empty", async (code, damage) => {
    const file = join(site.folder, "bad.db");
    await copyFile(backup, file);
    await chmod(file, 0o600);
    await damage(file);
    expect(await site.run("db", "restore", file)).toMatchObject({ exitCode: 1, document: { error: { code } } });
    expect(await readdir(site.home).catch(() => [])).toEqual([]);
  });

  function change(file: string, sql: string): void {
    using database = new DatabaseSync(file);
    database.exec(sql);
  }
});

it("brings a store up to date while nobody works on it, and not beside a service", async () => {
  await using folder = await temporaryFolder();
  await using service: Service = await openService();
  const file = join(service.folder, "radferry.yaml");
  const beside = await runCli(["-c", file, "--json", "db", "migrate"], { workingFolder: service.folder });
  expect(JSON.parse(beside.stdout)).toMatchObject({ error: { code: "HOME_IN_USE" } });
  const none = await runCli(["-c", file, "--json", "db", "migrate"], {
    workingFolder: service.folder,
    environment: { RADFERRY__HOME: folder.path },
  });
  expect(JSON.parse(none.stdout)).toMatchObject({ error: { code: "STORE_UNAVAILABLE" } });
});
