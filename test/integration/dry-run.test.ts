import { cp, readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { CHANGING } from "../../src/cli/rehearsals.ts";
import { openGateway } from "../../src/gateway/open-gateway.ts";
import { openSqliteStore } from "../../src/store/sqlite/open.ts";
import { runCli } from "../support/cli.ts";
import { writePixlProject } from "../support/pixl-project.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";

const SETTINGS = `
access: { commandLineRole: admin }
archives:
  - { name: vna, kind: dimse, address: VNA@127.0.0.1:9, retrieve: move }
destinations:
  - { name: store, kind: folder, path: ./research }
notifications:
  - { name: people, kind: webhook, url: "http://127.0.0.1:9/", events: [study-failed], secretFile: hook.secret }
projects:
  - { name: lung, archives: [vna], destinations: [store], profile: research, keyFile: lung.key, linkageKeyFile: links.key }
  - { name: other, archives: [vna], destinations: [store], profile: research, keyFile: other.key, linkageKeyFile: more.key }
`;

/** Of the home: what the verbs are about. */
interface Things {
  readonly cohort: string;
  readonly queued: string;
  readonly quarantined: string;
  readonly held: string;
  readonly device: string;
  readonly deviceToken: string;
  readonly sequence: string;
  readonly task: string;
}

const UNKNOWN_SCANNER = "9c1f6c4e-3f5b-4b2e-8d0a-1f2e3d4c5b6a";

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
let things: Things;

async function run(path: string, args: readonly string[]) {
  const { exitCode, stdout, stderr } = await runCli([...args, "--json"], {
    environment: { RADFERRY_HOME: join(path, "home") },
    workingFolder: path,
    openGateway,
  });
  const text: { readonly error?: { readonly code: string } } = JSON.parse(stdout);
  return { exitCode, code: text.error?.code, document: text, told: stdout + stderr };
}

async function made(args: readonly string[]): Promise<Readonly<Record<string, unknown>>> {
  const { exitCode, document, told } = await run(folder.path, args);
  expect(exitCode, told).toBe(0);
  return { ...document };
}

/** Every file below a folder, with its bytes. */
async function treeOf(path: string): Promise<ReadonlyMap<string, string>> {
  const entries = await readdir(path, { recursive: true, withFileTypes: true });
  const names = entries.map((entry) => ({ name: join(entry.parentPath, entry.name), isFile: entry.isFile() })).sort();
  const contents = names.map(async ({ name, isFile }) => (isFile ? (await readFile(name)).toString("base64") : ""));
  return new Map((await Promise.all(contents)).map((content, index) => [names[index]?.name ?? "", content]));
}

beforeAll(async () => {
  folder = await temporaryFolder();
  const { path } = folder;
  await writeFile(join(path, "radferry.yaml"), `home: ./home\n${SETTINGS}`);
  await writeFile(join(path, "restored.yaml"), `home: ./restored\n${SETTINGS}`);
  await writeFile(join(path, "hook.secret"), "0123456789abcdef0123456789abcdef\n", { mode: 0o600 });
  await writeFile(join(path, "wanted.csv"), "study_instance_uid\n1.2.3\n1.2.4\n1.2.5\n");
  await writeFile(join(path, "more.csv"), "study_instance_uid\n1.2.4\n1.2.9\nnothing\n");
  await writeFile(join(path, "dqr.csv"), "Accession Number,Patient ID\nA1,P1\n");
  await writeFile(join(path, "gre.seq"), "[VERSION]\nmajor 1\nminor 4\n");
  await writePixlProject(path, "trial", {
    project: { name: "trial", modalities: ["CT"] },
    destination: { dicom: "ftps", parquet: "none" },
  });
  for (const key of ["lung.key", "other.key", "links.key", "more.key"]) await made(["project", "new-key", key]);
  const { cohort } = await made(["cohort", "submit", "wanted.csv", "--project", "lung"]);
  await run(path, ["linkage", "lookup", "--project", "lung", "--patient", "P1"]);
  await made(["token", "create", "pat", "--role", "viewer"]);
  const wish = ["nightly", "--project", "lung", "--archive", "vna", "--modality", "CT", "--at", "02:00"];
  await made(["cohort", "standing", "add", ...wish]);
  const device = await made(["scanner", "register", "MR3T"]);
  const user = await made(["scanner", "token", "create"]);
  const sequence = await made(["scanner", "sequence", "add", "gre.seq"]);
  const task = await made(["scanner", "task", "create", "--sequence", String(sequence.id), "--no-start"]);
  await made(["db", "backup", "-o", "backup.db"]);
  things = {
    cohort: String(cohort),
    device: String(device.device_id),
    deviceToken: String(user.id),
    sequence: String(sequence.id),
    task: String(task.id),
    ...(await workOf(join(path, "home", "radferry.db"))),
  };
}, 120_000);
afterAll(() => folder?.[Symbol.asyncDispose]());

/** One study quarantined, one waiting, and one that was sent unasked and is held. */
async function workOf(path: string): Promise<Pick<Things, "queued" | "quarantined" | "held">> {
  await using store = await openSqliteStore({ path });
  const claim = await store.claim("worker", 1_000, Date.now());
  if (claim === undefined) throw new Error("nothing was due");
  await store.settle(claim.lease, { state: "quarantined", attempts: 1, code: "IDENTIFIER_FOUND" }, Date.now());
  const [waiting] = await store.listJobs({ state: "queued", limit: 1 });
  const instance = {
    ...{ studyInstanceUid: "1.2.7", seriesInstanceUid: "1.2.7.1", sopInstanceUid: "1.2.7.1.1", patientId: "P1" },
    ...{ sopClassUid: "1.2.840.10008.5.1.4.1.1.2", accessionNumber: "A1", modality: "CT", callingAeTitle: "CT1" },
    ...{ file: "aa-1", project: undefined, rule: undefined },
  };
  await store.addIntakeInstances([instance], { quietMs: 100, longestMs: 250 }, Date.now());
  const [held] = await store.listIntake({ limit: 1 });
  return { queued: waiting?.id ?? "", quarantined: claim.job.id, held: held?.id ?? "" };
}

/** Each verb that changes something, as it is called here; a code: what refuses it, rehearsed or not. */
interface Case {
  readonly args: (of: Things) => readonly string[];
  readonly code?: string;
  /** The run itself is made too, in a copy: others reach for what is not here, or are run by the tests of their own. */
  readonly isRun?: true;
}

const CASES: Readonly<Record<string, Case>> = {
  init: {
    isRun: true,
    args: () => [
      "--archive",
      "VNA@127.0.0.1:9",
      "--destination",
      "./out",
      "--project",
      "new",
      "-o",
      "new.yaml",
      "--no-probe",
    ],
  },
  "cohort submit": { args: () => ["more.csv", "--project", "lung", "--wait"] },
  "cohort import": { isRun: true, args: () => ["dqr.csv", "--from", "dqr-csv", "--project", "lung"] },
  "cohort search": {
    args: () => ["--project", "lung", "--archive", "vna", "PatientID=P1", "--from", "2026-01-01", "--submit"],
  },
  "cohort standing add": {
    args: () => ["weekly", "--project", "lung", "--archive", "vna", "--modality", "CT", "--at", "Sun 03:00"],
  },
  "cohort standing pause": { args: () => ["nightly"] },
  "cohort standing resume": { args: () => ["nightly"] },
  "cohort standing run": { args: () => ["nightly"] },
  "cohort standing remove": { args: () => ["nightly"] },
  "cohort retry": { args: ({ cohort }) => [cohort] },
  "cohort cancel": { isRun: true, args: ({ cohort }) => [cohort] },
  "cohort priority": { args: ({ cohort }) => [cohort, "5"] },
  "study retry": { args: ({ quarantined }) => [quarantined] },
  "study release": {
    isRun: true,
    args: ({ quarantined }) => [quarantined, "--allow-tag", "ManufacturerModelName", "--reason", "a model"],
    code: "RELEASE_INVALID",
  },
  "study cancel": { args: ({ queued }) => [queued] },
  "study priority": { args: ({ queued }) => [queued, "5"] },
  "intake assign": { args: ({ held }) => [held, "--project", "lung"] },
  "intake discard": { args: ({ held }) => [held] },
  // Of a store of its own no gateway can be forgotten: test/integration/gateways-withdrawal.test.ts has several.
  "node forget": { args: () => ["east", "--reason", "its machine burnt"], code: "NODE_UNKNOWN" },
  "archive pause": { isRun: true, args: () => ["vna"] },
  "archive resume": { args: () => ["vna"] },
  "archive rate": { args: () => ["vna", "10"] },
  "archive windows": { args: () => ["vna", "Mon-Fri 20:00-06:00"] },
  "project new-key": { isRun: true, args: () => ["new.key"] },
  "project change-key": { args: () => ["lung"] },
  "project import-pixl": { args: () => ["configs/trial.yaml", "--archive", "vna", "--accept-free-text", "--add"] },
  "linkage destroy": { isRun: true, args: () => ["--project", "lung"] },
  "patient withdraw": { args: () => ["--patient-id", "P1"] },
  "db backup": { isRun: true, args: () => ["-o", "another.db"] },
  "db restore": { isRun: true, args: () => ["backup.db", "-c", "restored.yaml"] },
  "db migrate": { isRun: true, args: () => [] },
  "token create": { isRun: true, args: () => ["sam", "--role", "viewer"] },
  "token revoke": { args: () => ["pat"] },
  "notification test": { args: () => ["people"] },
  "scanner register": { isRun: true, args: () => ["MR7T", "--credentials", "mr7t.json"] },
  "scanner revoke": { args: ({ device }) => [device] },
  "scanner token create": { args: () => ["--user", "sam"] },
  "scanner token revoke": { args: ({ deviceToken }) => [deviceToken] },
  "scanner task create": { args: ({ sequence }) => ["--sequence", sequence] },
  "scanner task cancel": { args: ({ task }) => [task] },
  "scanner task retry": { isRun: true, args: ({ task }) => [task] },
  "scanner task release": { args: ({ task }) => [task] },
  "scanner sequence add": { args: () => ["gre.seq", "--name", "another"] },
  "scanner result submit": { args: () => [UNKNOWN_SCANNER, "--project", "lung"], code: "SCAN_RESULT_NOT_FOUND" },
};

/** Refused as it would be without the option. */
const REFUSALS: Readonly<Record<string, string>> = {
  "cohort cancel cohort-none": "COHORT_NOT_FOUND",
  "cohort submit wanted.csv --project none": "PROJECT_UNKNOWN",
  "project new-key lung.key": "KEY_FILE_EXISTS",
  "db backup -o backup.db": "BACKUP_FILE_EXISTS",
  "db restore backup.db": "BACKUP_HOME_NOT_EMPTY",
  "notification test nobody": "NOTIFICATION_CHANNEL_UNKNOWN",
  "token create pat --role viewer": "TOKEN_NAME_TAKEN",
  "intake discard intake-none": "INTAKE_NOT_HELD",
};

describe("a dry run", () => {
  it("is looked at here for every verb that changes something", () => {
    expect(Object.keys(CASES).sort()).toEqual(Object.keys(CHANGING).sort());
  });

  it.each(Object.entries(CASES))(
    "of `%s` changes no byte, and ends as the run does",
    async (verb, { args, code, isRun }) => {
      const before = await treeOf(folder.path);
      const line = [...verb.split(" "), ...args(things)];
      const rehearsed = await run(folder.path, [...line, "--dry-run"]);
      expect(rehearsed, rehearsed.told).toMatchObject({ exitCode: code === undefined ? 0 : expect.any(Number) });
      expect(rehearsed.code).toBe(code);
      if (code === undefined) expect(rehearsed.document).toMatchObject({ dryRun: true });
      const after = await treeOf(folder.path);
      expect([...after.keys()]).toEqual([...before.keys()]);
      expect(after).toEqual(before);
      if (isRun !== true) return;
      await using copy = await temporaryFolder();
      await cp(folder.path, copy.path, { recursive: true });
      const done = await run(copy.path, line);
      expect(done, done.told).toMatchObject({ exitCode: rehearsed.exitCode, code });
      expect(await treeOf(copy.path)).not.toEqual(before);
    },
  );

  it.each(Object.entries(REFUSALS))("is refused for `%s` as the run would be, with %s", async (line, code) => {
    const before = await treeOf(folder.path);
    for (const each of [line, `${line} --dry-run`])
      expect(await run(folder.path, each.split(" "))).toMatchObject({ code });
    if (code !== "PROJECT_UNKNOWN") return;
    expect([...(await treeOf(folder.path)).keys()]).toEqual([...before.keys()]);
  });

  it("begins no linkage, and shows no token that nobody has", async () => {
    const before = await treeOf(folder.path);
    const looked = await run(folder.path, [
      "patient",
      "withdraw",
      "--project",
      "other",
      "--patient-id",
      "P1",
      "--dry-run",
    ]);
    expect(looked.exitCode, looked.told).toBe(0);
    const token = await run(folder.path, ["token", "create", "kim", "--role", "viewer", "--dry-run"]);
    expect(token.document).not.toHaveProperty("token");
    expect(await treeOf(folder.path)).toEqual(before);
  });
});
