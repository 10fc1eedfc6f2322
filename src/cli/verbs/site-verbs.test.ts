import { mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { capture, gatewayOf, runCli } from "../../../test/support/cli.ts";
import { tags } from "../../dicom/dictionary/tags.ts";
import { dataSetOf, textElement } from "../../dicom/values.ts";
import { GatewayError } from "../../errors/gateway-error.ts";
import type { StudyDocument } from "../../operations/documents.ts";
import type { Operations } from "../../operations/operations.ts";
import type { World } from "../world.ts";

const SETTINGS = `
home: ./home
archives:
  - { name: vna, kind: dimse, address: VNA@127.0.0.1:104, retrieve: move }
destinations:
  - { name: research-store, kind: folder, path: ./research }
projects:
  - { name: lung-ct, archives: [vna], destinations: [research-store], profile: research, keyFile: lung-ct.key }
`;

const STUDY: StudyDocument = {
  id: "j1",
  project: "lung-ct",
  cohort: "c1",
  cohorts: ["c1", "c2"],
  state: "held",
  stage: "verifying",
  code: "INSTANCES_MISSING",
  class: "transient",
  message: "The archive listed instances that it did not send.",
  remedy: "Ask the archive's administrator.",
  priority: 3,
  verdict: "partial",
  expected: 10,
  received: 9,
  excluded: 0,
  delivered: 0,
  attempts: 5,
  archive: "vna",
  pseudonym: "P1",
  pseudoStudyInstanceUid: "2.25.1",
  events: [{ at: "2026-01-01T00:00:00.000Z", event: "retrieved", detail: { received: 9 } }],
  deliveries: [],
  exclusions: { BURNED_IN_ANNOTATION: 1 },
};

let folder = "";
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "radferry-site-verbs-"));
  await writeFile(join(folder, "radferry.yaml"), SETTINGS);
});
afterEach(() => rm(folder, { recursive: true }));

function worldWith(operations: Partial<Operations>): Partial<World> {
  return { workingFolder: folder, openGateway: async () => gatewayOf(operations) };
}

async function documentOf(args: readonly string[], world: Partial<World>): Promise<unknown> {
  const { stdout } = await runCli([...args, "--json"], world);
  return JSON.parse(stdout);
}

it("lists studies by state and cohort", async () => {
  const world = worldWith({
    async *listStudies(filter) {
      expect(filter).toEqual({ state: "held", cohort: "c1" });
      yield STUDY;
    },
  });
  expect(await documentOf(["study", "list", "--state", "held", "--cohort", "c1"], world)).toEqual([STUDY]);
  const { stdout } = await runCli(["study", "list", "--state", "held", "--cohort", "c1"], world);
  expect(stdout.split("\n")[1]).toBe("j1     lung-ct  held   0/10       INSTANCES_MISSING  P1");
});

it("shows a study with its history, reasons and remedy", async () => {
  const world = worldWith({ showStudy: async () => STUDY });
  expect(await documentOf(["study", "show", "j1"], world)).toEqual(STUDY);
  const { stdout } = await runCli(["study", "show", "j1"], world);
  expect(stdout).toContain("10 listed, 9 received, 0 left out, 0 delivered");
  expect(stdout).toContain("What to do: Ask the archive's administrator.");
  expect(stdout).toContain("2026-01-01T00:00:00.000Z  retrieved  received 9");
});

it("retries and cancels a study", async () => {
  const world = worldWith({ retryStudy: async () => ({ retried: 1 }), cancelStudy: async () => ({ cancelled: 0 }) });
  expect(await documentOf(["study", "retry", "j1"], world)).toEqual({ id: "j1", retried: 1 });
  expect(await documentOf(["study", "cancel", "j1"], world)).toEqual({ id: "j1", cancelled: 0 });
  expect((await runCli(["study", "cancel", "j1"], world)).stdout).toBe("nothing to cancel: the study is done\n");
});

it("lists archives and asks them", async () => {
  const archive = {
    name: "vna",
    kind: "dimse",
    address: "VNA@127.0.0.1:104",
    retrieve: "move",
    associations: 4,
    state: "closed",
    opensAt: "2026-11-18T20:00:00.000Z",
    changed: [],
  } as const;
  const world = worldWith({
    async *listArchives() {
      yield archive;
    },
    echoArchive: async () => ({ archive: "vna", ok: true, milliseconds: 3 }),
    async *findInArchive(name, keys, options) {
      expect([name, keys, options]).toEqual([
        "vna",
        ["PatientID=4711"],
        { level: "STUDY", maximumAnswers: 1, yesAll: undefined },
      ]);
      yield dataSetOf([textElement(tags.PatientID, "4711")]);
      throw new GatewayError("FIND_LIMIT_REACHED", { by: "us" });
    },
  });
  expect(await documentOf(["archive", "list"], world)).toEqual([archive]);
  expect(await documentOf(["archive", "echo", "vna"], world)).toEqual({ archive: "vna", ok: true, milliseconds: 3 });
  const find = ["archive", "find", "vna", "PatientID=4711", "--max", "1"];
  expect(await documentOf(find, world)).toEqual([{ "00100020": { vr: "LO", Value: ["4711"] } }]);
  const { stdout, stderr } = await runCli(find, world);
  expect(stdout).toBe("(0010,0020) LO [4711] # 4 PatientID\n");
  expect(stderr).toBe("stopped after 1 answer; --max allows more\n");
});

it("calls a search partial that the archive itself cut short", async () => {
  const world = worldWith({
    async *findInArchive() {
      yield dataSetOf([textElement(tags.PatientID, "4711")]);
      throw new GatewayError("FIND_LIMIT_REACHED", { by: "peer" });
    },
  });
  const { exitCode, stdout, stderr } = await runCli(["archive", "find", "vna", "PatientID=4711", "--json"], world);
  expect(exitCode).toBe(3);
  expect(JSON.parse(stdout)).toHaveLength(1);
  expect(stderr).toBe("the peer stopped after 1 answer and has more; narrow the search\n");
});

it("answers 2 when an archive is not configured", async () => {
  const world = worldWith({
    echoArchive: (archive) => Promise.reject(new GatewayError("ARCHIVE_UNKNOWN", { archive })),
  });
  expect(await runCli(["archive", "echo", "pacs"], world)).toMatchObject({ exitCode: 2 });
});

it("examines the site and prints the letter to the archive's administrator", async () => {
  const letters = [{ archive: "vna", line: "On VNA: register the AE title RADFERRY." }];
  const fine = { ok: true, checks: [{ check: "clock is sane", ok: true, message: "yes" }], letters };
  const bad = {
    check: "archive vna answers C-ECHO",
    ok: false,
    code: "TIMED_OUT",
    message: "No answer.",
    remedy: "Ask.",
  } as const;
  const world = worldWith({ doctor: async () => fine });
  expect(await runCli(["doctor", "--json"], world)).toMatchObject({ exitCode: 0 });
  expect(await documentOf(["doctor"], world)).toEqual(fine);
  const doctor: Operations["doctor"] = async (_signal, onCheck) => {
    await onCheck?.(bad);
    return { ok: false, checks: [bad], letters };
  };
  const { exitCode, stdout } = await runCli(["doctor"], worldWith({ doctor }));
  expect(exitCode).toBe(1);
  expect(stdout).toContain("FAIL  archive vna answers C-ECHO: No answer. [TIMED_OUT]\n      What to do: Ask.\n");
  expect(stdout).toContain("On VNA: register the AE title RADFERRY.");
});

it("shows projects as configured", async () => {
  const world = { workingFolder: folder };
  expect(await documentOf(["project", "list"], world)).toMatchObject([{ name: "lung-ct", archives: ["vna"] }]);
  expect(await documentOf(["project", "show", "lung-ct"], world)).toMatchObject({
    keyFile: join(folder, "lung-ct.key"),
  });
  expect(await runCli(["project", "show", "other"], world)).toMatchObject({ exitCode: 2 });
});

it("makes a key once", async () => {
  const world = { workingFolder: folder };
  const made = await documentOf(["project", "new-key", "lung-ct.key"], world);
  const file = join(folder, "lung-ct.key");
  expect(made).toEqual({ file, keyId: expect.stringMatching(/^[0-9a-f]{8}$/) });
  expect((await stat(file)).mode & 0o777).toBe(0o600);
  const key = await readFile(file, "utf8");
  expect(await runCli(["project", "new-key", "lung-ct.key"], world)).toMatchObject({ exitCode: 1 });
  expect(await readFile(file, "utf8")).toBe(key);
  const nowhere = await runCli(["project", "new-key", "no/such/folder.key"], world);
  expect(nowhere.stderr).toContain("FILE_NOT_WRITABLE, reason ENOENT");
});

it("checks the configuration, every problem at once", async () => {
  const world = { workingFolder: folder };
  await runCli(["project", "new-key", "lung-ct.key"], world);
  expect(await runCli(["config", "check"], world)).toMatchObject({
    exitCode: 0,
    stdout: "the configuration is fine\n",
  });

  await writeFile(join(folder, "radferry.yaml"), "dicom: { port: high }\ncolour: red\n");
  const { exitCode, stdout } = await runCli(["config", "check"], world);
  expect(exitCode).toBe(2);
  expect(stdout).toMatch(/dicom\.port \(line 1, column \d+\): .+ \[SETTING_INVALID\]/);
  expect(stdout).toMatch(/colour \(line 2, column 1\): .+ \[SETTING_UNKNOWN\]/);
  const { stderr } = await runCli(["cohort", "list"], world);
  expect(stderr).toMatch(/SETTINGS_INVALID.*\n.*\n {2}.*dicom\.port/);
});

it("prints a sample and the schema", async () => {
  expect(await runCli(["config", "sample"])).toMatchObject({
    exitCode: 0,
    stdout: expect.stringContaining("archives:"),
  });
  expect(await documentOf(["config", "sample"], {})).toEqual({ sample: expect.stringContaining("archives:") });
  expect(await documentOf(["config", "schema"], {})).toMatchObject({ type: "object", properties: { dicom: {} } });
});

it("serves until it is told to stop, then drains", async () => {
  const stop = new AbortController();
  const happened: string[] = [];
  const world: Partial<World> = {
    workingFolder: folder,
    stop: stop.signal,
    stdout: capture((text) => {
      happened.push(text);
      stop.abort();
    }),
    openGateway: async ({ mode }) =>
      gatewayOf(
        {},
        {
          dicomPort: 11_112,
          drain: async () => void happened.push("drained"),
          [Symbol.asyncDispose]: async () => void happened.push(`${mode} closed`),
        },
      ),
  };
  expect(await runCli(["serve"], world)).toMatchObject({ exitCode: 0 });
  expect(happened).toEqual(["radferry is ready; DICOM port 11112\n", "drained", "serve closed"]);
});
