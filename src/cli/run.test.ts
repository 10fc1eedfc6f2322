import { Writable } from "node:stream";
import { setTimeout as delay } from "node:timers/promises";
import { expect, it } from "vitest";
import { capture, gatewayOf, runCli } from "../../test/support/cli.ts";
import { GatewayError } from "../errors/gateway-error.ts";

it.each([
  "",
  "cohort",
  "no-such-verb",
  "cohort no-such-verb",
  "--no-such-option",
  "--log-level loud cohort list",
  "cohort submit",
  "cohort submit wanted.csv",
  "cohort export c1",
  "cohort list too-much",
  "study list --state lost",
  "study show",
  "archive find vna --level FRAME",
  "archive find vna --max 0",
  "dicom dump",
  "dicom echo 127.0.0.1:104",
  "dicom echo PEER@127.0.0.1:104 --calling AN_AE_TITLE_OF_MORE_THAN_16",
  "dicom find PEER@127.0.0.1:104 -k =1",
  "dicom find PEER@127.0.0.1:104 -k NoSuchKeyword=1",
  "dicom find PEER@127.0.0.1:104 --level FRAME",
  "dicom find PEER@127.0.0.1:104 --level PATIENT --model study-root",
  "dicom commit PEER@127.0.0.1:104",
  "dicom commit PEER@127.0.0.1:104 file.dcm --timeout soon",
  "dicom move PEER@127.0.0.1:104 -k StudyInstanceUID=1.2",
  "dicom get PEER@127.0.0.1:104 -k StudyInstanceUID=1.2",
  "dicom get PEER@127.0.0.1:104 --out /tmp",
  "dicom store PEER@127.0.0.1:104",
  "dicom receive --port 1",
  "dicom receive --port 65536 --out /tmp",
  "dicom receive --port 0 --out /tmp --exit-after-idle soon",
  // No configuration file is there.
  "cohort list",
  "serve",
])("answers 2 to wrong usage: %j", async (line) => {
  const given = line.split(" ").filter((word) => word !== "");
  const forPeople = await runCli(given);
  expect(forPeople).toMatchObject({ exitCode: 2, stdout: "" });
  expect(forPeople.stderr).toMatch(/radferry: .+ \[[A-Z_]+.*\]\nWhat to do: .+/);

  const forPrograms = await runCli([...given, "--json"]);
  expect(forPrograms.exitCode).toBe(2);
  expect(JSON.parse(forPrograms.stdout)).toEqual({
    error: expect.objectContaining({
      code: expect.any(String),
      class: "permanent",
      message: expect.any(String),
      remedy: expect.any(String),
      details: expect.any(Object),
    }),
  });
});

it("names what is wrong with the command line", async () => {
  const { stderr } = await runCli(["cohort", "submit", "wanted.csv"]);
  expect(stderr).toContain("radferry: required option '--project <name>' not specified [USAGE_INVALID]");
});

it("takes global options behind the verb too", async () => {
  const { exitCode, stdout } = await runCli(["config", "check", "--json", "-c", "/no/such/file.yaml"]);
  expect(exitCode).toBe(2);
  expect(JSON.parse(stdout)).toMatchObject({ ok: false, problems: [{ code: "SETTINGS_FILE_MISSING" }] });
});

it("prints version and help on stdout", async () => {
  expect(await runCli(["--version"])).toMatchObject({
    exitCode: 0,
    stdout: expect.stringMatching(/^\d+\.\d+\.\d+\n$/),
  });
  const { exitCode, stdout } = await runCli(["cohort", "submit", "--help"]);
  expect(exitCode).toBe(0);
  expect(stdout).toContain("radferry cohort submit wanted.csv --project lung-ct --wait");
});

const withHome = { environment: { RADFERRY__HOME: "/nonexistent" } };

it("reports an error by code, with its remedy and without a stranger's words", async () => {
  const fails = (thrown: unknown) => ({
    ...withHome,
    openGateway: async () => gatewayOf({ showStudy: () => Promise.reject(thrown) }),
  });
  const known = await runCli(["study", "show", "j1"], fails(new GatewayError("TIMED_OUT", { timeoutMs: 5 })));
  expect(known).toEqual({
    exitCode: 1,
    stdout: "",
    stderr:
      "radferry: The peer did not answer in time. [TIMED_OUT, timeout 5 ms]\n" +
      "What to do: None at first: studies are tried again by themselves. If it persists, ask the peer's administrator.\n",
  });
  const stranger = await runCli(["study", "show", "j1", "--json"], fails(new TypeError("Doe^Jane is no number")));
  expect(stranger.exitCode).toBe(1);
  expect(JSON.parse(stranger.stdout)).toMatchObject({ error: { code: "INTERNAL" } });
  expect(stranger.stderr).toMatch(/^radferry: unforeseen TypeError at .*run\.test\.ts/);
  expect(stranger.stdout + stranger.stderr).not.toContain("Doe");
});

it("says that it was cancelled when a signal ended a wait", async () => {
  const stop = AbortSignal.abort(new GatewayError("CANCELLED"));
  const openGateway = async () =>
    gatewayOf({ echoArchive: (archive, signal) => delay(60_000, { archive, ok: true, milliseconds: 0 }, { signal }) });
  const { exitCode, stderr } = await runCli(["archive", "echo", "vna"], { ...withHome, openGateway, stop });
  expect(exitCode).toBe(1);
  expect(stderr).toContain("[CANCELLED]");
});

it("keeps stdout one document when a list is cut short", async () => {
  const openGateway = async () =>
    gatewayOf({
      async *listCohorts() {
        yield { cohort: "c1", project: "trial", rows: 1, accepted: 1, joined: 0, submittedAt: "", done: true };
        throw new GatewayError("TIMED_OUT");
      },
    });
  const { exitCode, stdout, stderr } = await runCli(["cohort", "list", "--json"], { ...withHome, openGateway });
  expect(exitCode).toBe(1);
  expect(JSON.parse(stdout)).toMatchObject([{ cohort: "c1" }]);
  expect(stderr).toContain("TIMED_OUT");
});

it("says that what it was to say found no room: stdout may be a file on a full disk", async () => {
  const full = Object.assign(new Error(), { code: "ENOSPC", syscall: "write" });
  const stdout = new Writable({ write: (_chunk, _encoding, done) => done(full) });
  stdout.on("error", () => undefined);
  const { exitCode, stderr } = await runCli(["config", "sample"], { stdout });
  expect(exitCode).toBe(1);
  expect(stderr).toContain("[FILE_NOT_WRITABLE, file stdout, reason ENOSPC]");
});

it("ends quietly when its reader goes away", async () => {
  const stdout = new Writable({
    write: (_chunk, _encoding, done) => done(Object.assign(new Error(), { code: "EPIPE" })),
  });
  stdout.on("error", () => undefined);
  const stderr = capture();
  expect(await runCli(["config", "sample"], { stdout, stderr })).toMatchObject({ exitCode: 0 });
  expect(stderr.text()).toBe("");
});
