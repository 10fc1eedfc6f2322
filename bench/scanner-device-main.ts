import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { setTimeout as delay } from "node:timers/promises";
import { WebSocket } from "ws";

/**
 * `scanner-device-main.ts file PORT DEVICE_ID DEVICE_TOKEN TASK_ID USER_TOKEN BYTES`: sends one file in frames of 1 MiB that are masked
 * beforehand, so that the gateway is measured and not its peer; prints the seconds until it is published.
 * `scanner-device-main.ts progress PORT SECONDS RATE < devices.json`: every device reports so often; prints what was acknowledged.
 */
const [mode = "", port = "", ...rest] = process.argv.slice(2);

const MASK = Buffer.from([0x1f, 0x2e, 0x3d, 0x4c]);
const FRAME_BYTES = 1024 * 1024;

/** RFC 6455 5.2: final, opcode, masked. */
function frame(opcode: number, payload: Buffer): Buffer {
  const header = Buffer.alloc(10);
  header[0] = 0x80 | opcode;
  header[1] = 0x80 | 127;
  header.writeBigUInt64BE(BigInt(payload.length), 2);
  const masked = Buffer.from(payload);
  for (let at = 0; at < masked.length; at += 1) masked[at] = (masked[at] ?? 0) ^ (MASK[at & 3] ?? 0);
  return Buffer.concat([header, MASK, masked]);
}

async function send(socket: Socket, bytes: Buffer): Promise<void> {
  if (!socket.write(bytes)) await once(socket, "drain");
}

async function sendFile(deviceId: string, token: string, taskId: string, userToken: string, sizeBytes: number) {
  const socket = connect(Number(port), "127.0.0.1");
  await once(socket, "connect");
  socket.write(
    [
      "GET /api/v1/device/ws HTTP/1.1",
      "Host: 127.0.0.1",
      "Connection: Upgrade",
      "Upgrade: websocket",
      "Sec-WebSocket-Version: 13",
      "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
      `Device-Id: ${deviceId}`,
      `Device-Token: ${token}`,
      "\r\n",
    ].join("\r\n"),
  );
  let heard = "";
  let wake = (): void => undefined;
  socket.on("data", (data) => {
    heard += data.toString("latin1");
    wake();
  });
  const hears = async (text: string): Promise<void> => {
    while (!heard.includes(text)) {
      await new Promise<void>((resolve) => {
        wake = resolve;
      });
    }
  };
  await hears("101 Switching Protocols");
  const say = (message: object) => send(socket, frame(1, Buffer.from(JSON.stringify(message))));
  const ids = { task_id: taskId, user_access_token: userToken };
  await say({ command: "update_status", status: "BUSY", data: { progress: 1 }, ...ids });
  await hears("progress=1%");
  const block = frame(2, Buffer.alloc(FRAME_BYTES, 7));
  const startedAtMs = performance.now();
  await say({ command: "file-transfer", filename: "scan.mrd", size_bytes: sizeBytes, device_parameter: {}, ...ids });
  for (let sent = 0; sent < sizeBytes; sent += FRAME_BYTES) await send(socket, block);
  await hears("saved to datalake");
  const seconds = (performance.now() - startedAtMs) / 1_000;
  socket.destroy();
  process.stdout.write(JSON.stringify({ seconds }));
}

interface BenchDevice {
  readonly deviceId: string;
  readonly deviceToken: string;
  readonly taskId: string;
  readonly userToken: string;
}

interface Acknowledged {
  readonly missed: number;
  readonly waitsMs: readonly number[];
}

async function report(device: BenchDevice, seconds: number, rate: number, startsInMs: number): Promise<Acknowledged> {
  const { deviceId, deviceToken, taskId, userToken } = device;
  const socket = new WebSocket(`ws://127.0.0.1:${port}/api/v1/device/ws`, {
    headers: { "Device-Id": deviceId, "Device-Token": deviceToken },
    perMessageDeflate: false,
  });
  await once(socket, "open");
  const total = seconds * rate;
  const sentAtMs: number[] = [];
  const waitsMs: number[] = [];
  const states: number[] = [];
  const { promise: done, resolve: end } = Promise.withResolvers<void>();
  socket.on("message", (data) => {
    const percent = /progress=(\d+)%/.exec(String(data))?.[1];
    states.push(percent === undefined ? Number.NaN : Number(percent));
    waitsMs.push(performance.now() - (sentAtMs[states.length - 1] ?? 0));
    if (states.length === total) end();
  });
  await delay(startsInMs);
  const progressOf = (index: number): number => Math.floor((99 * index) / total);
  const startedAtMs = performance.now();
  for (let index = 0; index < total; index += 1) {
    await delay(Math.max(0, startedAtMs + (1_000 * index) / rate - performance.now()));
    sentAtMs.push(performance.now());
    const data = { progress: progressOf(index) };
    const message = { command: "update_status", status: "BUSY", data, task_id: taskId, user_access_token: userToken };
    socket.send(JSON.stringify(message));
  }
  await Promise.race([done, delay(30_000)]);
  socket.terminate();
  const missed = Array.from({ length: total }, (_, index) => states[index] === progressOf(index)).filter((ok) => !ok);
  return { missed: missed.length, waitsMs };
}

async function progress(seconds: number, rate: number): Promise<void> {
  let text = "";
  for await (const piece of process.stdin) text += String(piece);
  const devices: readonly BenchDevice[] = JSON.parse(text);
  const all = await Promise.all(
    devices.map((device, index) => report(device, seconds, rate, 2_000 + (1_000 / rate) * (index / devices.length))),
  );
  const waitsMs = all.flatMap((each) => each.waitsMs).sort((one, other) => one - other);
  const p99Ms = waitsMs[Math.floor(waitsMs.length * 0.99)];
  const missed = all.reduce((sum, each) => sum + each.missed, 0);
  process.stdout.write(JSON.stringify({ acknowledged: waitsMs.length, missed, p99Ms, seconds }));
}

if (mode === "file") {
  const [deviceId = "", token = "", taskId = "", userToken = "", sizeBytes = ""] = rest;
  await sendFile(deviceId, token, taskId, userToken, Number(sizeBytes));
} else {
  const [seconds = "", rate = ""] = rest;
  await progress(Number(seconds), Number(rate));
}
