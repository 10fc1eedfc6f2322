import { randomBytes } from "node:crypto";
import { readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { stringify } from "yaml";
import { openGateway } from "../../src/gateway/open-gateway.ts";
import { openXnatClient } from "../../src/network/rest/xnat/login.ts";
import { neverAborted } from "../../src/units/abort.ts";
import { practiceStudies } from "../peers/practice-studies.ts";
import { connectDevice, openScannerSite, type ScannerSite } from "../peers/scanhub-site.ts";
import { type PracticeXnat, startXnat } from "../peers/xnat/start-xnat.ts";
import { newProject } from "../peers/xnat/state.ts";
import { runCli } from "../support/cli.ts";

const MRD = Buffer.concat([Buffer.from("\x89HDF\r\n\x1a\n", "latin1"), Buffer.alloc(2_000, 5)]);
const opened = new AsyncDisposableStack();
let site: ScannerSite;
let xnat: PracticeXnat;
let environment: Record<string, string>;

beforeAll(async () => {
  site = opened.use(await openScannerSite());
  xnat = opened.use(await startXnat({ workEveryMs: 0 }));
  xnat.state.projects.set("trial", newProject("trial", {}));
  const credentials = { username: xnat.username, password: () => Promise.resolve(xnat.password) };
  await using client = openXnatClient({ baseUrl: xnat.url, credentials });
  const session = "data/projects/trial/subjects/S1/experiments/ACC1?xsiType=xnat:mrSessionData";
  await using _ = await client.request({ method: "PUT", path: session, signal: neverAborted() });
  const ways = { XNAT_URL: xnat.url, XNAT_SERVICE_USER: xnat.username, XNAT_SERVICE_PASSWORD: xnat.password };
  environment = { RADFERRY_HOME: site.home, ...ways };
});
afterAll(() => opened.disposeAsync());

/** Of a device that measured: the result's id, and its folder. */
async function measured(filename = "scan.mrd", bytes = MRD): Promise<{ readonly id: string; readonly folder: string }> {
  const { id } = await site.addTask();
  await using device = await connectDevice(site);
  const ids = { task_id: id, user_access_token: site.token };
  device.say({ command: "update_status", status: "BUSY", data: { progress: 5 }, ...ids });
  await device.next();
  device.say({
    command: "file-transfer",
    filename,
    size_bytes: bytes.length,
    device_parameter: { b0: 3 },
    ...ids,
  });
  device.send(bytes);
  const { result_id: result } = await device.next();
  const { body } = await site.request("GET", `${site.exam}/result/${String(result)}`);
  return { id: String(result), folder: String(Reflect.get(Object(body), "directory")) };
}

async function submit(id: string, ...args: readonly string[]) {
  const all = ["scanner", "result", "submit", id, ...args, "--json"];
  const { exitCode, stdout } = await runCli(all, { environment, workingFolder: site.home });
  return { exitCode, document: JSON.parse(stdout) };
}

const PLACE = ["--xnat", "trial", "--accession", "ACC1", "--scan", "3", "--resource", "MRD"];

it("puts a result that is no DICOM into a session of XNAT, with the scanner's parameters, once", async () => {
  const { id } = await measured();
  const file = (name: string, sizeBytes: number) => ({ name, sizeBytes, outcome: "stored" });
  expect(await submit(id, ...PLACE)).toMatchObject({
    exitCode: 0,
    document: { result: id, files: [file("scan.mrd", MRD.length), { name: "device_parameter.json" }] },
  });
  expect(await submit(id, ...PLACE)).toMatchObject({ exitCode: 1, document: { error: { code: "XNAT_FILE_EXISTS" } } });
  const again = await submit(id, ...PLACE, "--exist-ok");
  expect(again.document.files).toMatchObject([{ outcome: "unchanged" }, { outcome: "unchanged" }]);
});

it("copies a result into a folder", async () => {
  const { id } = await measured();
  expect(await submit(id, "--out", "copied")).toMatchObject({ exitCode: 0 });
  expect(await readFile(join(site.home, "copied", "scan.mrd"))).toEqual(MRD);
});

it("sends nothing of a result that is not what was received", async () => {
  const { id, folder } = await measured();
  await writeFile(join(folder, "scan.mrd"), "changed");
  const before = xnat.requests.length;
  expect(await submit(id, ...PLACE)).toMatchObject({
    exitCode: 1,
    document: { error: { code: "SCAN_RESULT_DAMAGED" } },
  });
  expect(xnat.requests.length).toBe(before);
});

it("makes what is DICOM a study of a project, de-identified and delivered", async () => {
  const [instance] = practiceStudies()[0]?.instances ?? [];
  const { id } = await measured("scan.dcm", Buffer.from(instance?.file ?? []));
  await writeFile(join(site.home, "demo.key"), randomBytes(32).toString("hex"), { mode: 0o600 });
  const delivered = join(site.home, "delivered");
  const settings = {
    home: join(site.home, "gateway"),
    dicom: { port: 0 },
    staging: { reserveGigabytes: 0 },
    archives: [{ name: "scanners", kind: "folder", path: site.lake }],
    destinations: [{ name: "store", kind: "folder", path: delivered }],
    projects: [
      {
        name: "demo",
        archives: ["scanners"],
        destinations: ["store"],
        profile: "research",
        keyFile: join(site.home, "demo.key"),
      },
    ],
  };
  const file = join(site.home, "radferry.yaml");
  await writeFile(file, stringify(settings));
  const run = (...args: readonly string[]) =>
    runCli(["-c", file, ...args, "--json"], { environment, workingFolder: site.home, openGateway });
  const submitted = await run("scanner", "result", "submit", id, "--project", "demo");
  expect([submitted.exitCode, JSON.parse(submitted.stdout)]).toMatchObject([0, { result: id, accepted: 1 }]);
  const [cohort = ""] = await readdir(join(site.home, "submitted-results"));
  // Handed in again it joins what is there, and waits for it.
  const cohortFile = join(site.home, "submitted-results", cohort);
  expect(await run("cohort", "submit", cohortFile, "--project", "demo", "--wait")).toMatchObject({ exitCode: 0 });
  const files = (await readdir(delivered, { recursive: true })).filter((each) => each.endsWith(".dcm"));
  expect(files).toHaveLength(1);
  const bytes = await readFile(join(delivered, files[0] ?? ""));
  expect(bytes.equals(instance?.file ?? Buffer.alloc(0))).toBe(false);
});

it.each([
  ["no place", []],
  ["two places", [...PLACE, "--out", "x"]],
  ["no session", ["--xnat", "trial", "--scan", "3", "--resource", "MRD"]],
  ["neither scan nor assessor", ["--xnat", "trial", "--accession", "ACC1", "--resource", "MRD"]],
])("asks nobody with %s", async (_, args) => {
  expect(await submit("7d3f2c1a-0000-4000-8000-0000000000ff", ...args)).toMatchObject({
    exitCode: 2,
    document: { error: { code: "USAGE_INVALID" } },
  });
});
