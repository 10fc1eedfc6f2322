import { spawn } from "node:child_process";
import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { createUserToken, registerDevice } from "../../src/compat/scanhub/tokens.ts";
import { openSqliteStore } from "../../src/store/sqlite/open.ts";
import { systemClock } from "../../src/units/clock.ts";
import { systemRandom } from "../../src/units/random.ts";
import { freePort } from "../../test/peers/free-port.ts";
import type { BenchFactory } from "../context.ts";
import type { Comparison, Measurement } from "../harness.ts";
import { benchScript, RADFERRY, runToEnd, startServer } from "../processes.ts";
import { readyMemory } from "../ready-memory.ts";

const OURS = "radferry compat scanhub";
const CP = "cp";
const CP_SYNCED = "cp, then sync of the copy";
const CP_HASHED = "sha256sum, then cp and sync of the copy";
const FILE_BYTES = 2 * 1024 ** 3;
const DEVICES = 200;
const RATE = 10;
const SECONDS = 20;

interface BenchDevice {
  readonly deviceId: string;
  readonly deviceToken: string;
  readonly taskId: string;
  readonly userToken: string;
}

/** Devices in a home, each with a task of its own. */
async function furnish(home: string, count: number): Promise<readonly BenchDevice[]> {
  await mkdir(home, { recursive: true });
  await using store = await openSqliteStore({ path: join(home, "radferry.db") });
  const world = { store, clock: systemClock, random: systemRandom };
  const { token: userToken } = await createUserToken(world, { user: "bench", role: "operator" });
  return await Promise.all(
    Array.from({ length: count }, async (_, index) => {
      const { device, token } = await registerDevice(world, { name: `device ${index}`, description: "bench" });
      const task = await store.addScanTask(
        {
          id: randomUUID(),
          workflowId: randomUUID(),
          deviceId: device.id,
          isTemplate: false,
          status: "NEW",
          progress: 0,
          fields: JSON.stringify({ name: "scan", description: "", destination: "", task_type: "ACQUISITION" }),
          creator: "bench",
          wantedAtMs: undefined,
        },
        0,
      );
      return { deviceId: device.id, deviceToken: token, taskId: task.id, userToken };
    }),
  );
}

async function startFace(home: string, port: number, ...before: readonly string[]) {
  const environment = [`RADFERRY_HOME=${home}`, `DATA_LAKE_DIRECTORY=${join(home, "lake")}`, "LOG_LEVEL=error"];
  const face = ["compat", "scanhub", "--host", "127.0.0.1", "--port", `${port}`];
  return await startServer("env", [...environment, ...before, RADFERRY, ...face], port, home);
}

async function receiveFile(folder: string): Promise<Measurement> {
  const home = join(folder, "home");
  const [device] = await furnish(home, 1);
  if (device === undefined) throw new Error("there is no device");
  const port = await freePort();
  await using server = await startFace(home, port);
  const [program, script] = benchScript("scanner-device-main.ts");
  const { deviceId, deviceToken, taskId, userToken } = device;
  await readyMemory(join(home, "lake"), FILE_BYTES);
  const args = [script, "file", `${port}`, deviceId, deviceToken, taskId, userToken, `${FILE_BYTES}`];
  const { stdout } = await runToEnd(program, args, home);
  const { seconds }: { readonly seconds: number } = JSON.parse(stdout);
  return { figures: { rate: FILE_BYTES / 1e6 / seconds }, peakRssBytes: server.peakRssBytes() };
}

async function copyFile(source: string, folder: string, command: string): Promise<Measurement> {
  await readyMemory(folder, FILE_BYTES);
  const { seconds } = await runToEnd("sh", ["-c", command, "sh", source, join(folder, "copy")], folder);
  return { figures: { rate: FILE_BYTES / 1e6 / seconds }, peakRssBytes: 0 };
}

async function reportProgress(folder: string): Promise<Measurement> {
  const home = join(folder, "home");
  const devices = await furnish(home, DEVICES);
  const port = await freePort();
  // All of its threads on one core, and the devices on the others.
  await using server = await startFace(home, port, "taskset", "-c", "0");
  const [program, script] = benchScript("scanner-device-main.ts");
  const child = spawn(program, [script, "progress", `${port}`, `${SECONDS}`, `${RATE}`], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  child.stdin.end(JSON.stringify(devices));
  let text = "";
  child.stdout.on("data", (data) => {
    text += String(data);
  });
  await once(child, "close");
  const { acknowledged, missed, p99Ms }: Record<string, number> = JSON.parse(text);
  const figures = { rate: (acknowledged ?? 0) / SECONDS, missed: missed ?? Number.NaN, p99: p99Ms ?? Number.NaN };
  return { figures, peakRssBytes: server.peakRssBytes() };
}

/** A file of 2 GiB beside `cp`; and 200 devices that report progress ten times a second, on one core. */
export const scanner: BenchFactory = async ({ folder }) => {
  const source = join(folder, "scanner-source");
  await runToEnd(
    "dd",
    ["if=/dev/zero", `of=${source}`, "bs=1M", `count=${FILE_BYTES / 1024 ** 2}`, "status=none"],
    folder,
  );
  const file: Comparison = {
    title: "Scanner: a file of 2 GiB, hashed, synced and published",
    figures: { rate: "MB/s" },
    contenders: [
      { name: OURS, program: RADFERRY, run: receiveFile },
      { name: CP, program: "cp", run: (to) => copyFile(source, to, 'cp "$1" "$2"') },
      { name: CP_SYNCED, program: "cp", run: (to) => copyFile(source, to, 'cp "$1" "$2" && sync "$2"') },
      {
        name: CP_HASHED,
        program: "sha256sum",
        run: (to) => copyFile(source, to, 'sha256sum "$1" && cp "$1" "$2" && sync "$2"'),
      },
    ],
    gates: [
      { figure: "rate", contender: OURS, peer: CP, ratio: { atLeast: 0.7 } },
      { figure: "rate", contender: OURS, peer: CP_SYNCED, ratio: { atLeast: 0.7 } },
    ],
    memoryGates: [{ contender: OURS, rssAtMostBytes: 150e6 }],
  };
  const messages: Comparison = {
    title: `Scanner: ${DEVICES} devices with ${RATE} progress messages a second each, on one core`,
    figures: { rate: "messages/s", missed: "states", p99: "ms" },
    contenders: [{ name: OURS, program: "taskset", run: reportProgress }],
    gates: [],
    absoluteGates: [
      { figure: "rate", contender: OURS, bound: { atLeast: DEVICES * RATE } },
      { figure: "missed", contender: OURS, bound: { atMost: 0 } },
    ],
    isRunOnce: true,
  };
  return { comparisons: [file, messages], [Symbol.asyncDispose]: () => Promise.resolve() };
};
