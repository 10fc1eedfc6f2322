import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, describe, expect, it, vi } from "vitest";
import { WebSocket } from "ws";
import { HDF5_BYTES as DATA } from "../../src/acquisition/rehearsal.testing.ts";
import { anotherDevice as another, runningScan } from "../peers/scan-runs.ts";
import { connectDevice, openScannerSite } from "../peers/scanhub-site.ts";

const site = await openScannerSite();
afterAll(() => site[Symbol.asyncDispose]());

const UNKNOWN = "7d3f2c1a-0000-4000-8000-0000000000ff";
const running = () => runningScan(site);

describe("credentials (A22)", () => {
  it.each([
    [
      "a wrong token",
      () => ({ "Device-Id": site.deviceId, "Device-Token": "wrong" }),
      "Invalid device_id or device_token",
    ],
    ["no token", () => ({ "Device-Id": site.deviceId }), "Invalid device_id or device_token"],
    [
      "an unknown id",
      () => ({ "Device-Id": UNKNOWN, "Device-Token": site.deviceToken }),
      "Invalid device_id or device_token",
    ],
    ["an id that is none", () => ({ "Device-Id": "x", "Device-Token": "x" }), "Invalid device_id"],
    ["none", () => ({}), "Invalid device_id"],
  ])("with %s the socket is closed with 1008", async (_, headers, reason) => {
    await using device = await connectDevice(site, headers());
    expect(await device.closed).toEqual({ code: 1008, reason });
  });

  it("of a device that was deleted open nothing any more, and end what is open", async () => {
    const { site: own, device } = await another(site);
    await using _ = device;
    const token = await site.tokenOf("admin");
    expect((await site.request("DELETE", `${site.devices}/${own.deviceId}`, { token })).status).toBe(204);
    expect(await device.closed).toMatchObject({ code: 1008 });
    await using again = await connectDevice(own);
    expect(await again.closed).toMatchObject({ code: 1008 });
  });

  it("open nothing any more while the gateway ends: the device would stay where no start reaches it", async () => {
    const ending = await openScannerSite();
    const { device: silent } = await another(ending);
    await using device = await connectDevice(ending);
    // It does not answer that the connection is closed, for which it has two seconds.
    silent.socket.pause();
    const ended = ending[Symbol.asyncDispose]();
    expect(await device.closed).toMatchObject({ code: 1012 });
    const headers = { "Device-Id": ending.deviceId, "Device-Token": ending.deviceToken };
    const again = new WebSocket(ending.webSocket, { headers });
    const answer = await new Promise((resolve) => {
      again.once("open", () => resolve("open"));
      again.once("unexpected-response", (_, { statusCode }) => resolve(statusCode));
    });
    again.on("error", () => undefined).terminate();
    expect(answer).toBe(503);
    await ended;
    silent.socket.resume();
    await silent.closed;
  });

  it("are made once by createdevice, and shown nowhere else", async () => {
    const token = await site.tokenOf("admin");
    const post = (body: object) => site.request("POST", `${site.devices}/createdevice`, { body, token });
    const made = await post({ name: "new", description: "d" });
    expect([made.status, made.headers.get("content-disposition")]).toEqual([
      201,
      "attachment; filename=device_credentials.json",
    ]);
    const { device_id, device_token } = made.body as Record<string, string>;
    await using device = await connectDevice(site, {
      "Device-Id": device_id ?? "",
      "Device-Token": device_token ?? "",
    });
    device.say({ command: "ping" });
    expect(await device.next()).toEqual({ command: "pong" });
    const shown = await site.request("GET", `${site.devices}/${device_id}`);
    expect(JSON.stringify(shown.body)).not.toContain((device_token ?? "").slice(0, 16));
    expect(shown.body).toMatchObject({ name: "new", status: "ONLINE" });
    expect(await post({ name: "", description: "d" })).toMatchObject({
      status: 400,
      body: { detail: "The device name must not be empty!" },
    });
    expect(await post({ name: "n", description: "" })).toMatchObject({
      status: 400,
      body: { detail: "The description name must not be empty!" },
    });
    expect((await readFile(join(site.home, "radferry.db"))).includes(device_token ?? "")).toBe(false);
  });
});

describe("messages", () => {
  it("are answered in the words of the second version (A23)", async () => {
    const { device } = await another(site);
    await using _ = device;
    const answers: unknown[] = [];
    for (const message of [
      { command: "register", data: { device_name: "x" } },
      { command: "register", data: 3 },
      { command: "ping" },
      { command: "update_status", status: "ONLINE" },
      { command: "update_status", status: "OFFLINE" },
      { command: "update_status", status: "ASLEEP" },
      { command: "update_status", status: "BUSY", data: { progress: 1 } },
      { command: "stop" },
    ]) {
      device.say(message);
      answers.push(await device.next());
    }
    const feedback = (message: string) => ({ command: "feedback", message });
    expect(answers).toEqual([
      feedback("Device registered successfully"),
      { message: "Invalid device details." },
      { command: "pong" },
      feedback("Device ONLINE acknowledged."),
      feedback("Device OFFLINE acknowledged."),
      feedback("Invalid status: ASLEEP"),
      feedback("Missing task_id or user_access_token for task update."),
      feedback("Unknown command: stop"),
    ]);
  });

  it("that make no sense are answered, and the next one works (A30)", async () => {
    await using run = await running();
    const { device, task, token } = run;
    const busy = { command: "update_status", status: "BUSY", task_id: task.id, user_access_token: token };
    for (const message of [
      "{",
      "[1]",
      { command: "update_status" },
      { ...busy, data: null },
      { ...busy, data: { progress: "soon" } },
      { ...busy, data: { progress: null } },
      { command: "file-transfer", task_id: task.id },
      { command: 7 },
      { command: "constructor" },
      {},
    ]) {
      device.say(message);
      expect(await device.next()).toMatchObject({ command: "feedback" });
    }
    device.say({ command: "update_status", status: { toString: 1 } });
    expect(await device.next()).toMatchObject({ message: "Invalid status: {'toString': 1}" });
    device.say({});
    expect(await device.next()).toMatchObject({ message: "Unknown command: None" });
    device.send(Buffer.alloc(10));
    expect(await device.next()).toMatchObject({ command: "feedback" });
    device.say({ command: "ping" });
    expect(await device.next()).toEqual({ command: "pong" });
  });

  it("keep a device's calibration when it registers with none (A36)", async () => {
    const { site: own, device } = await another(site);
    await using _ = device;
    const url = `${site.devices}/parameter/${own.deviceId}`;
    expect((await site.request("PUT", url, { body: { b0: 3 } })).body).toMatchObject({ parameter: { b0: 3 } });
    device.say({ command: "register", data: { manufacturer: "M", parameter: null } });
    await device.next();
    const shown = await site.request("GET", `${site.devices}/${own.deviceId}`);
    expect(shown.body).toMatchObject({ manufacturer: "M", parameter: { b0: 3 }, status: "ONLINE" });
    expect((await site.request("PUT", `${site.devices}/parameter/${UNKNOWN}`, { body: {} })).status).toBe(404);
  });

  it("of two sockets of one device go to the newer, and the older one's end changes nothing (A35)", async () => {
    const { site: own, device: older } = await another(site);
    await using newer = await connectDevice(own);
    newer.say({ command: "ping" });
    await newer.next();
    await older[Symbol.asyncDispose]();
    const task = await site.addTask({ device_id: own.deviceId });
    expect((await site.request("POST", `${site.devices}/start_scan_via_websocket`, { body: task })).status).toBe(200);
    expect(await newer.next()).toMatchObject({ command: "start" });
    expect((await site.request("GET", `${site.devices}/${own.deviceId}`)).body).toMatchObject({ status: "ONLINE" });
  });
});

describe("a start", () => {
  it("sends the task, its sequence and a token in the form that devices check (A24)", async () => {
    const { site: own, device } = await another(site);
    await using _ = device;
    const task = await site.addTask({ device_id: own.deviceId });
    const answer = await site.request("POST", `${site.devices}/start_scan_via_websocket`, { body: task });
    expect([answer.status, answer.body]).toEqual([200, null]);
    const { command, data } = (await device.next()) as { command: string; data: Record<string, unknown> };
    expect(command).toBe("start");
    const { datetime_updated: _d, ...facts } = task;
    expect(data).toMatchObject({
      ...facts,
      status: "STARTED",
      mrd_header: "header_xml_placeholder",
      sequence: { _id: task.sequence_id, seq_file_extension: ".seq" },
      device_parameter: {},
    });
    expect(Object.keys(data).sort()).toEqual(
      [...Object.keys(task), "mrd_header", "sequence", "access_token", "device_parameter"].sort(),
    );
    // Good for this attempt alone: it opens nothing else.
    const { access_token } = data;
    expect((await site.request("GET", `${site.exam}/task/${task.id}`, { token: String(access_token) })).status).toBe(
      401,
    );
  });

  it("is refused without sequence or device, for unknown ones, and while the device is away", async () => {
    const start = async (facts: object) => {
      const task = await site.addTask(facts);
      const { status, body } = await site.request("POST", `${site.devices}/start_scan_via_websocket`, { body: task });
      return [
        status,
        (body as { detail: string }).detail,
        (await site.request("GET", `${site.exam}/task/${task.id}`)).body,
      ];
    };
    const untouched = expect.objectContaining({ status: "NEW" });
    expect(await start({ sequence_id: null })).toEqual([404, "Missing sequence ID", untouched]);
    expect(await start({ sequence_id: "a".repeat(24) })).toEqual([404, "Sequence not found", untouched]);
    expect(await start({ device_id: null })).toEqual([404, "Missing device ID", untouched]);
    expect(await start({ device_id: UNKNOWN })).toEqual([404, "Device not found", untouched]);
    expect(await start({})).toEqual([503, "Device offline.", untouched]);
  });

  it("that nobody answers ends the task, and marks the device (A27)", async () => {
    await using quick = await openScannerSite({ environment: { RADFERRY_SCAN_START_SECONDS: "0.2" } });
    await using device = await connectDevice(quick);
    const task = await quick.addTask();
    await quick.request("POST", `${quick.devices}/start_scan_via_websocket`, { body: task });
    await device.next();
    await expect.poll(async () => (await quick.store.scanTask(task.id))?.status, { timeout: 10_000 }).toBe("ERROR");
    await expect.poll(async () => (await quick.store.scanDevice(quick.deviceId))?.isDeaf).toBe(true);
    expect(await quick.store.listAcquisitions({ taskId: task.id, limit: 1 })).toMatchObject([
      { code: "SCAN_DEVICE_SILENT" },
    ]);
  });
});

describe("a report", () => {
  it("for another device's task is refused (A34)", async () => {
    await using run = await running();
    const { device } = await another(site);
    await using _ = device;
    const message = { task_id: run.task.id, user_access_token: run.token, status: "BUSY", data: { progress: 90 } };
    device.say({ command: "update_status", ...message });
    expect(await device.next()).toMatchObject({ message: expect.stringContaining("another device") });
    device.say({ command: "file-transfer", ...message, filename: "a.mrd", size_bytes: 3 });
    expect(await device.next()).toMatchObject({ message: expect.stringContaining("another device") });
    expect(await run.status()).toBe("INPROGRESS");
  });

  it("claims a task that nobody started, for one of two devices", async () => {
    const [one, two] = [await another(site), await another(site)];
    await using _ = one.device;
    await using __ = two.device;
    const task = await site.addTask({ device_id: null });
    const busy = {
      command: "update_status",
      status: "BUSY",
      data: { progress: 1 },
      task_id: task.id,
      user_access_token: site.token,
    };
    one.device.say(busy);
    two.device.say(busy);
    const answers = [await one.device.next(), await two.device.next()].map(({ message }) => String(message));
    expect(answers.filter((text) => text.includes("progress=1%"))).toHaveLength(1);
    expect(answers.filter((text) => text.startsWith("Could not update task: "))).toHaveLength(1);
  });

  it("is clamped to 0 and 100, and lets progress only grow", async () => {
    await using run = await running();
    expect(await run.busy(-5)).toMatchObject({ message: "Device BUSY update processed (progress=0%)." });
    expect(await run.busy("60")).toMatchObject({ message: "Device BUSY update processed (progress=60%)." });
    expect(await run.busy(150)).toMatchObject({ message: "Device BUSY update processed (progress=100%)." });
    expect(await run.status()).toBe("INPROGRESS");
  });

  it("of an error ends the task, its words kept in the ledger", async () => {
    await using run = await running();
    const { device, task, token } = run;
    device.say({
      command: "update_status",
      status: "ERROR",
      data: { error_message: "no coil" },
      task_id: task.id,
      user_access_token: token,
    });
    expect(await device.next()).toMatchObject({ message: "Device ERROR update processed (progress=10%)." });
    expect(await run.status()).toBe("ERROR");
    expect(await site.store.listAcquisitions({ taskId: task.id, limit: 1 })).toMatchObject([
      { code: "SCAN_DEVICE_FAILED", reason: "no coil" },
    ]);
    device.say({
      command: "update_status",
      status: "BUSY",
      data: { progress: 50 },
      task_id: task.id,
      user_access_token: token,
    });
    expect(await device.next()).toMatchObject({ message: "Error fetching task: 404: Task not found" });
  });

  it("of a device that is idle again, and sent no 100, ends the task", async () => {
    await using run = await running();
    run.header();
    run.device.send(DATA);
    await run.device.next();
    expect(await run.status()).toBe("INPROGRESS");
    run.device.say({ command: "update_status", status: "ONLINE" });
    await run.device.next();
    expect(await run.status()).toBe("FINISHED");
  });
});

/** As a process leaves it that is killed behind the start, before it notes that the wish is fulfilled. */
describe("a task that was started, and is still wanted after a crash,", () => {
  const isWanted = async (id: string) => (await site.store.scanTask(id))?.wantedAtMs !== undefined;

  it("is not sent to its device for a second time: it would measure with a token that is void", async () => {
    const { site: own, device } = await another(site);
    await using _ = device;
    const task = await site.addTask({ device_id: own.deviceId });
    await site.request("POST", `${site.devices}/start_scan_via_websocket`, { body: task });
    expect(await device.next()).toMatchObject({ command: "start" });
    await site.store.wantScanTask(task.id, true, Date.now());
    await vi.waitFor(async () => expect(await isWanted(task.id)).toBe(false), { timeout: 10_000 });
    device.say({ command: "ping" });
    expect(await device.next()).toEqual({ command: "pong" });
  });

  it("is not measured once more when it is finished", async () => {
    await using run = await running();
    await site.store.wantScanTask(run.task.id, true, Date.now());
    await vi.waitFor(async () => expect(await isWanted(run.task.id)).toBe(false), { timeout: 10_000 });
  });
});
