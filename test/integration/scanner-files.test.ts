import { readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { HDF5_BYTES as DATA, filesBelow, sha256Of as sha256 } from "../../src/acquisition/rehearsal.testing.ts";
import { runningScan } from "../peers/scan-runs.ts";
import { connectDevice, type Document, openScannerSite, type ScannerSite, WORKFLOW_ID } from "../peers/scanhub-site.ts";

const site = await openScannerSite();
afterAll(() => site[Symbol.asyncDispose]());

const UNKNOWN = "7d3f2c1a-0000-4000-8000-0000000000ff";
const running = (of: ScannerSite = site) => runningScan(of);
const below = async (task: Document): Promise<readonly string[]> =>
  (await filesBelow(site.lake)).filter((path) => path.includes(task.id));

describe("a file", () => {
  it("comes to its place with its parameters, and its result says so (A25)", async () => {
    await using run = await running();
    run.header();
    run.device.send(DATA.subarray(0, 1_000));
    run.device.send(DATA.subarray(1_000));
    const answer = await run.device.next();
    const [result] = await run.results();
    const folder = join(site.lake, WORKFLOW_ID, run.task.id, String(result?.id));
    expect(answer).toMatchObject({
      command: "feedback",
      message: `File ${result?.id} saved to datalake: ${folder}/scan.mrd`,
      result_id: result?.id,
      sha256: sha256(DATA),
    });
    expect(result).toMatchObject({
      type: "MRD",
      directory: folder,
      files: ["scan.mrd", "device_parameter.json"],
      task_id: run.task.id,
    });
    expect(await readFile(join(folder, "scan.mrd"))).toEqual(DATA);
    expect(await readFile(join(folder, "device_parameter.json"), "utf8")).toBe(
      JSON.stringify({ device_id: run.own.deviceId, parameter: { b0: 3 } }, undefined, 4),
    );
    expect((await filesBelow(site.lake)).filter((path) => path.endsWith(".part"))).toEqual([]);
  });

  it("is taken though its parameters hold what Python writes for no number", async () => {
    await using run = await running();
    const { task, token } = run;
    const facts = { task_id: task.id, user_access_token: token, filename: "scan.mrd", size_bytes: DATA.length };
    const header = JSON.stringify({ command: "file-transfer", ...facts, device_parameter: "P" });
    run.device.say(header.replace('"P"', '{"b0": NaN, "gain": -Infinity}'));
    run.device.send(DATA);
    const answer = await run.device.next();
    const [result] = await run.results();
    expect(answer).toMatchObject({ command: "feedback", result_id: result?.id });
    const folder = String(result?.directory);
    expect(await readFile(join(folder, "scan.mrd"))).toEqual(DATA);
    const written: unknown = JSON.parse(await readFile(join(folder, "device_parameter.json"), "utf8"));
    expect(written).toEqual({ device_id: run.own.deviceId, parameter: { b0: null, gain: null } });
  });

  it.each([
    ["a.dcm", "DICOM"],
    ["a.dicom", "DICOM"],
    ["a.npy", "NUMPY"],
    ["a.json", "CALIBRATION"],
    ["a.bin", "NOT_SET"],
  ])("of the name %s is a result of type %s", async (filename, type) => {
    await using run = await running();
    run.header({ filename });
    run.device.send(DATA);
    await run.device.next();
    expect(await run.results()).toMatchObject([{ type }]);
  });

  it.each([
    ["as the device gives it", "scan.mrd", "image/tiff; application=mr", "image/tiff; application=mr"],
    ["by its name when the device gives none", "scan.mrd", undefined, "application/x-ismrmrd+hdf5"],
    ["by its name when the device gives nonsense", "scan.mrd", "<b>", "application/x-ismrmrd+hdf5"],
    ["by its name when the device gives no text", "scan.npy", 7, "application/octet-stream"],
  ])("has its content type beside its result: %s", async (_, filename, content_type, expected) => {
    await using run = await running();
    run.header({ filename, content_type });
    run.device.send(DATA);
    await run.device.next();
    expect(await run.results()).toMatchObject([{ meta: { gateway: { content_type: expected } } }]);
  });

  it("of the first version has no parameter, and ends the task", async () => {
    await using run = await running();
    run.header({ device_parameter: undefined });
    run.device.send(DATA);
    const answer = await run.device.next();
    expect(await run.results()).toMatchObject([{ id: answer.result_id, files: ["scan.mrd"] }]);
    expect(await run.status()).toBe("FINISHED");
  });

  it("finishes its task only when it is there, whenever the device says 100 (A29)", async () => {
    await using run = await running();
    expect(await run.busy(100)).toMatchObject({ message: "Device BUSY update processed (progress=100%)." });
    expect(await run.status()).toBe("INPROGRESS");
    run.header();
    run.device.send(DATA.subarray(0, 100));
    run.device.say({ command: "update_status", status: "ONLINE" });
    expect(await run.device.next()).toMatchObject({ message: "Device ONLINE acknowledged." });
    expect(await run.status()).toBe("INPROGRESS");
    run.device.send(DATA.subarray(100));
    expect(await run.device.next()).toMatchObject({ result_id: expect.any(String) });
    expect(await run.status()).toBe("FINISHED");
  });

  it("lets pings and reports pass between its chunks (A28)", async () => {
    await using run = await running();
    run.header();
    run.device.send(DATA.subarray(0, 100));
    run.device.say({ command: "ping" });
    expect(await run.device.next()).toEqual({ command: "pong" });
    expect(await run.busy(55)).toMatchObject({ message: "Device BUSY update processed (progress=55%)." });
    run.device.send(DATA.subarray(100));
    expect(await run.device.next()).toMatchObject({ sha256: sha256(DATA) });
  });

  it("may have its sum in upper case", async () => {
    await using run = await running();
    run.header({ sha256: sha256(DATA).toUpperCase() });
    run.device.send(DATA);
    expect(await run.device.next()).toMatchObject({ result_id: expect.any(String) });
  });

  it.each([
    ["a sum that is another", { sha256: "0".repeat(64) }, "Checksum mismatch for uploaded file."],
    [
      "more bytes than announced",
      { size_bytes: DATA.length - 1 },
      `Incomplete file received (${DATA.length}/${DATA.length - 1} bytes).`,
    ],
  ])("with %s leaves nothing, and ends the task (A26)", async (_, facts, message) => {
    await using run = await running();
    run.header(facts);
    run.device.send(DATA);
    expect(await run.device.next()).toEqual({ command: "feedback", message });
    await expect.poll(run.status).toBe("ERROR");
    expect(await run.results()).toEqual([]);
    expect(await below(run.task)).toEqual([]);
    run.device.say({ command: "ping" });
    expect(await run.device.next()).toEqual({ command: "pong" });
  });

  it("that stops coming is given up (A26)", async () => {
    await using quick = await openScannerSite({ environment: { RADFERRY_SCAN_IDLE_SECONDS: "0.2" } });
    await using run = await running(quick);
    run.header();
    run.device.send(DATA.subarray(0, 100));
    expect(await run.device.next()).toEqual({
      command: "feedback",
      message: `Incomplete file received (100/${DATA.length} bytes).`,
    });
    await expect.poll(run.status).toBe("ERROR");
    expect(await run.results()).toEqual([]);
    // What comes late is thrown away without a word.
    run.device.send(DATA.subarray(100));
    run.device.say({ command: "ping" });
    expect(await run.device.next()).toEqual({ command: "pong" });
  });

  it("of which a byte comes now and then is given up", async () => {
    await using quick = await openScannerSite({ environment: { RADFERRY_SCAN_IDLE_SECONDS: "0.4" } });
    await using run = await running(quick);
    run.header();
    const drip = setInterval(() => run.device.send(DATA.subarray(0, 1)), 50);
    expect(await run.device.next()).toMatchObject({ message: expect.stringMatching(/^Incomplete file received/) });
    clearInterval(drip);
    await expect.poll(run.status).toBe("ERROR");
    expect(await run.results()).toEqual([]);
  });

  it("whose device drops leaves nothing, and the device may send it again", async () => {
    const run = await running();
    run.header();
    run.device.send(DATA.subarray(0, 100));
    run.device.say({ command: "ping" });
    await run.device.next();
    run.device.socket.terminate();
    await expect.poll(run.results).toEqual([]);
    expect(await run.status()).toBe("INPROGRESS");
    await using again = await connectDevice(run.own);
    const resumed = { ...run, device: again };
    again.say({
      command: "file-transfer",
      task_id: run.task.id,
      user_access_token: run.token,
      filename: "scan.mrd",
      size_bytes: DATA.length,
      sha256: sha256(DATA),
    });
    again.send(DATA);
    expect(await again.next()).toMatchObject({ result_id: expect.any(String) });
    expect(await resumed.results()).toHaveLength(1);
    expect(await run.status()).toBe("FINISHED");
  });

  it.each(["../x", "/abs", "a/b", "C:\\x", "a\0b", "", "x".repeat(256), "..", "device_parameter.json"])(
    "of the name %j is refused, its bytes thrown away (A31)",
    async (filename) => {
      await using run = await running();
      run.header({ filename });
      expect(await run.device.next()).toMatchObject({
        command: "feedback",
        message: expect.stringContaining("file name"),
      });
      run.device.send(DATA);
      run.device.say({ command: "ping" });
      expect(await run.device.next()).toEqual({ command: "pong" });
      expect(await run.results()).toEqual([]);
      expect(await below(run.task)).toEqual([]);
    },
  );

  it.each([0, -5, 1e15, "many", null])("of %j bytes is refused", async (size_bytes) => {
    await using run = await running();
    run.header({ size_bytes });
    expect(await run.device.next()).toMatchObject({
      command: "feedback",
      message: expect.stringContaining("larger than is allowed"),
    });
    expect(await run.results()).toEqual([]);
  });

  it("sent again after its answer was lost is answered with the same result (A32)", async () => {
    await using run = await running();
    run.header();
    run.device.send(DATA);
    const first = await run.device.next();
    run.header();
    run.device.send(DATA);
    expect(await run.device.next()).toEqual(first);
    expect(await run.results()).toHaveLength(1);
    // Also when the task is finished.
    await run.busy(100);
    expect(await run.status()).toBe("FINISHED");
    run.header();
    run.device.send(DATA);
    expect(await run.device.next()).toEqual(first);
    const { mtimeMs } = await stat(String(first.message).split("datalake: ")[1] ?? "");
    expect(mtimeMs).toBeGreaterThan(0);
  });

  it("for a task that the device has not claimed is refused", async () => {
    await using run = await running();
    const other = await site.addTask({ device_id: run.own.deviceId });
    run.header({ task_id: other.id, user_access_token: site.token });
    expect(await run.device.next()).toMatchObject({ message: expect.stringContaining("has not claimed") });
    run.header({ task_id: UNKNOWN, user_access_token: site.token });
    expect(await run.device.next()).toMatchObject({ message: "Error fetching task: 404: Task not found" });
    run.header({ user_access_token: "nobody" });
    expect(await run.device.next()).toMatchObject({ message: "Error fetching task: 404: Task not found" });
  });
});
