import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { readdir, readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, it } from "vitest";
import { openSqliteStore } from "../../src/store/sqlite/open.ts";
import { silentLogger } from "../../src/units/logger.ts";
import { connectDevice, openScannerSite, PULSEQ, type ScannerSite } from "../peers/scanhub-site.ts";
import { runCli } from "../support/cli.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";

const PROGRAM = fileURLToPath(new URL("../../bin/radferry", import.meta.url));

/** The verb's document. */
async function verb(home: string, ...args: readonly string[]): Promise<Record<string, unknown>> {
  const { exitCode, stdout, stderr } = await runCli(["scanner", ...args, "--json"], {
    environment: { RADFERRY_HOME: home },
    workingFolder: home,
  });
  expect({ exitCode, stderr: exitCode === 0 ? "" : stdout + stderr }).toEqual({ exitCode: 0, stderr: "" });
  return JSON.parse(stdout);
}

async function stoodIn(site: ScannerSite): Promise<{ task: string; result: Record<string, unknown> }> {
  const { home, webSocket } = site;
  await writeFile(join(home, "gre.seq"), PULSEQ);
  const sequence = await verb(home, "sequence", "add", "gre.seq");
  const device = await verb(home, "register", "MR3T", "--credentials", "credentials.json");
  const task = await verb(
    home,
    "task",
    "create",
    "--sequence",
    String(sequence.id),
    "--device",
    String(device.device_id),
  );
  expect(task).toMatchObject({ status: "NEW", state: "SCHEDULED", waiting: true });
  const simulated = await verb(
    home,
    "simulate",
    "--credentials",
    "credentials.json",
    "--url",
    webSocket,
    "--step-seconds",
    "0.01",
    "--size-bytes",
    "5000",
  );
  expect(simulated).toMatchObject({
    tasks: 1,
    answers: [{ task: task.id, message: expect.stringContaining("saved to datalake") }],
  });
  const results = await runCli(["scanner", "result", "list", "--task", String(task.id), "--json"], {
    environment: { RADFERRY_HOME: home },
  });
  const [result] = JSON.parse(results.stdout);
  return { task: String(task.id), result };
}

it("leads a task from the shell to a verified copy of its result", async () => {
  await using site = await openScannerSite();
  const { home } = site;
  const { task, result } = await stoodIn(site);
  const shown = await verb(home, "task", "show", task);
  expect(shown).toMatchObject({
    status: "FINISHED",
    state: "COMPLETED",
    attempts: [
      { attempt: 1, upsState: "COMPLETED", files: [{ name: "scan.mrd", sizeBytes: 5_000, state: "published" }] },
    ],
    results: [{ id: result.id, type: "MRD" }],
  });
  expect(await verb(home, "result", "verify", String(result.id))).toMatchObject({
    whole: true,
    files: [{ verdict: "same" }, {}],
  });
  expect(await verb(home, "result", "submit", String(result.id), "--out", "copy", "--dry-run")).toMatchObject({
    dryRun: true,
    files: [{ name: "scan.mrd", verdict: "same" }, {}],
  });
  await expect(stat(join(home, "copy"))).rejects.toThrow("ENOENT");
  await verb(home, "result", "fetch", String(result.id), "--out", "copy");
  expect((await stat(join(home, "copy", "scan.mrd"))).size).toBe(5_000);
  // Once more, as after one that was cut off: what lies there whole stays.
  await verb(home, "result", "fetch", String(result.id), "--out", "copy");
  await writeFile(join(home, "copy", "scan.mrd"), "somebody else's");
  for (const out of ["copy", "copy/scan.mrd"]) {
    const refused = await runCli(["scanner", "result", "fetch", String(result.id), "--out", out, "--json"], {
      environment: { RADFERRY_HOME: home },
      workingFolder: home,
    });
    expect(JSON.parse(refused.stdout)).toMatchObject({
      error: { code: "FILE_NOT_WRITABLE", details: { reason: "EEXIST" } },
    });
  }
  expect(await readFile(join(home, "copy", "scan.mrd"), "utf8")).toBe("somebody else's");
  expect((await readdir(join(home, "copy"))).filter((name) => name.endsWith(".part"))).toEqual([]);
  const store = await openSqliteStore({ path: join(home, "radferry.db"), logger: silentLogger });
  const trail = await store.auditRecords({ after: 0, limit: 100 }).finally(() => store[Symbol.asyncDispose]());
  const given = trail.map(({ record }) => record).filter((record) => record.includes("scan-file-given-out"));
  expect(given.filter((record) => record.includes(String(result.id)))).toHaveLength(4);

  await writeFile(join(String(result.directory), "scan.mrd"), "other");
  const changed = await runCli(["scanner", "result", "verify", String(result.id), "--json"], {
    environment: { RADFERRY_HOME: home },
  });
  expect([changed.exitCode, JSON.parse(changed.stdout)]).toMatchObject([
    1,
    { whole: false, files: [{ verdict: "changed" }, {}] },
  ]);
  const unfit = await runCli(["scanner", "result", "submit", String(result.id), "--project", "p", "--json"], {
    environment: { RADFERRY_HOME: home },
  });
  expect(JSON.parse(unfit.stdout)).toMatchObject({ error: { code: "SCAN_RESULT_UNFIT" } });
});

it("keeps tokens and credentials to itself, and ends them", async () => {
  await using site = await openScannerSite();
  const { home, exam } = site;
  const { id, token } = await verb(home, "token", "create", "--role", "operator", "--user", "bela");
  const ask = async () => (await site.request("GET", `${exam}/task/templates/all`, { token: String(token) })).status;
  expect(await ask()).toBe(200);
  const listed = await runCli(["scanner", "token", "list"], { environment: { RADFERRY_HOME: home } });
  expect(listed.stdout).toContain("bela");
  expect(listed.stdout).not.toContain(String(token).slice(0, 16));
  await verb(home, "token", "revoke", String(id));
  expect(await ask()).toBe(401);

  await verb(home, "register", "MR", "--credentials", "c.json");
  expect((await stat(join(home, "c.json"))).mode & 0o777).toBe(0o600);
  const { device_id, device_token } = JSON.parse(await readFile(join(home, "c.json"), "utf8"));
  await using device = await connectDevice({ ...site, deviceId: device_id, deviceToken: device_token });
  await verb(home, "revoke", device_id);
  expect(await device.closed).toMatchObject({ code: 1008 });
  const list = await runCli(["scanner", "list", "--json"], { environment: { RADFERRY_HOME: home } });
  expect(JSON.parse(list.stdout)).toContainEqual(
    expect.objectContaining({ id: device_id, revokedAt: expect.any(String) }),
  );
});

it("cancels a task that waits, and one that runs; and retries it", async () => {
  await using site = await openScannerSite();
  const { home } = site;
  await using device = await connectDevice(site);
  device.say({ command: "ping" });
  await device.next();
  const sequence = await site.addSequence();
  const create = (...more: string[]) =>
    verb(home, "task", "create", "--sequence", sequence, "--device", site.deviceId, ...more);
  const waiting = await create("--no-start");
  expect(await verb(home, "task", "cancel", String(waiting.id))).toMatchObject({ cancelled: true, wasRunning: false });

  const { id } = await create();
  const begin = async () => {
    const { data } = (await device.next()) as { data: { id: string; access_token: string } };
    device.say({
      command: "update_status",
      status: "BUSY",
      data: { progress: 5 },
      task_id: data.id,
      user_access_token: data.access_token,
    });
    expect(await device.next()).toMatchObject({ message: expect.stringContaining("progress=5%") });
  };
  await begin();
  expect(await verb(home, "task", "cancel", String(id))).toMatchObject({ cancelled: true, wasRunning: true });
  await expect
    .poll(async () => (await verb(home, "task", "show", String(id))).status, { timeout: 40_000 })
    .toBe("ERROR");
  await verb(home, "task", "retry", String(id));
  await begin();
  expect(await verb(home, "task", "show", String(id))).toMatchObject({
    status: "INPROGRESS",
    attempts: [{ attempt: 2 }, { attempt: 1, code: "SCAN_CANCELLED" }],
  });
});

async function startFace(home: string): Promise<{ child: ChildProcess; port: number }> {
  const child = spawn(PROGRAM, ["compat", "scanhub", "--host", "127.0.0.1", "--port", "0", "--json"], {
    env: {
      ...process.env,
      RADFERRY_HOME: home,
      DATA_LAKE_DIRECTORY: join(home, "lake"),
      RADFERRY_SCAN_GRACE_SECONDS: "0.5",
      RADFERRY_SCAN_RESERVE_GIGABYTES: "0",
    },
    stdio: ["ignore", "pipe", "inherit"],
  });
  let text = "";
  for await (const piece of child.stdout) {
    text += String(piece);
    if (text.trimEnd().endsWith("}")) break;
  }
  return { child, port: JSON.parse(text).httpPort };
}

it("killed in the middle of a file, takes it back at its next start; SIGTERM ends it with 0", async () => {
  await using folder = await temporaryFolder();
  const home = folder.path;
  await writeFile(join(home, "gre.seq"), PULSEQ);
  const first = await startFace(home);
  const sequence = await verb(home, "sequence", "add", "gre.seq");
  const { device_id: deviceId, device_token: deviceToken } = await verb(home, "register", "MR");
  const at = (port: number) => ({
    webSocket: `ws://127.0.0.1:${port}/api/v1/device/ws`,
    deviceId: String(deviceId),
    deviceToken: String(deviceToken),
  });
  const device = await connectDevice(at(first.port));
  const { id } = await verb(home, "task", "create", "--sequence", String(sequence.id));
  const { data } = (await device.next()) as { data: { access_token: string } };
  const ids = { task_id: id, user_access_token: data.access_token };
  device.say({ command: "update_status", status: "BUSY", data: { progress: 5 }, ...ids });
  await device.next();
  device.say({ command: "file-transfer", filename: "a.mrd", size_bytes: 100, ...ids });
  device.send(Buffer.alloc(50));
  device.say({ command: "ping" });
  await device.next();
  expect((await verb(home, "task", "show", String(id))).results).toHaveLength(1);
  first.child.kill("SIGKILL");
  await once(first.child, "exit");
  await device.closed;

  const second = await startFace(home);
  expect((await verb(home, "task", "show", String(id))).results).toEqual([]);
  await expect
    .poll(async () => (await verb(home, "task", "show", String(id))).status, { timeout: 40_000 })
    .toBe("ERROR");
  second.child.kill("SIGTERM");
  expect(await once(second.child, "exit")).toEqual([0, null]);
});
