import type { WebSocket } from "ws";
import { toGatewayError } from "../../../errors/gateway-error.ts";
import { errorFields } from "../../../observe/error-fields.ts";
import type { ScanDevice } from "../../../store/acquisitions.ts";
import type { ScanHubWorld } from "../world.ts";
import { carryOut, type DeviceSession } from "./commands.ts";
import { createIncomingFiles } from "./incoming-file.ts";
import { feedback, readMessage } from "./messages.ts";
import type { ConnectedDevice } from "./registry.ts";

/** Frames that wait for their turn: from the first of these on the socket is not read. */
const HIGH_WATER_BYTES = 8 * 1024 * 1024;
const HIGH_WATER_FRAMES = 256;
/** Answers that the device does not read. */
const MAXIMUM_BUFFERED_BYTES = 16 * 1024 * 1024;
/** A silent peer is asked; two in a row without an answer, and it is gone. */
const PING_EVERY_MS = 20_000;

type Frame = { readonly text: string } | { readonly bytes: Uint8Array };

/** Resolves when the connection is over and all that came of it is settled. */
export async function serveDevice(world: ScanHubWorld, socket: WebSocket, device: ScanDevice): Promise<void> {
  const { store, registry, clock, logger } = world;
  const work = new Set<Promise<void>>();
  const follow = (each: Promise<void>): void => {
    const settled = each.catch((thrown: unknown) =>
      logger.error("work of a device failed", errorFields(toGatewayError(thrown))),
    );
    work.add(settled);
    void settled.finally(() => work.delete(settled));
  };
  const say = (message: object): void => {
    if (socket.readyState !== socket.OPEN) return;
    if (socket.bufferedAmount > MAXIMUM_BUFFERED_BYTES) socket.terminate();
    else socket.send(JSON.stringify(message), () => undefined);
  };
  const files = createIncomingFiles({ world, device, say, follow });
  const session: DeviceSession = { world, device, files, say, busyWith: new Set(), status: "ONLINE" };
  const connected: ConnectedDevice = {
    deviceId: device.id,
    send: async (message) => say(message),
    close: () => socket.close(1008, "Invalid device_id or device_token"),
  };

  const frames = receiveFrames(socket, (frame) => take(session, frame, logger));
  const stopPings = keepAlive(socket);
  registry.add(connected);
  await store.changeScanDevice(device.id, { status: "ONLINE", isDeaf: false }, clock.nowMs());
  socket.resume();
  logger.info("device connected", { device: device.id });
  await frames;
  stopPings();
  const isGone = registry.remove(connected);
  await files.end("SCAN_TRANSFER_CUT");
  if (isGone) await store.changeScanDevice(device.id, { status: "OFFLINE" }, clock.nowMs());
  logger.info("device disconnected", { device: device.id });
  while (work.size > 0) await Promise.all(work);
}

/** What goes wrong with one message is that message's alone. */
async function take(session: DeviceSession, frame: Frame, logger: ScanHubWorld["logger"]): Promise<void> {
  try {
    if ("bytes" in frame) return await session.files.take(frame.bytes);
    const message = readMessage(frame.text);
    if (message === undefined) session.say(feedback("Invalid message: a JSON object is expected."));
    else await carryOut(session, message);
  } catch (thrown) {
    logger.error("message of a device failed", errorFields(toGatewayError(thrown)));
    session.say(feedback("Internal server error."));
  }
}

/** Every frame in order, one at a time. Resolves when the socket is closed and nothing waits. */
async function receiveFrames(socket: WebSocket, take: (frame: Frame) => Promise<void>): Promise<void> {
  const waiting: Frame[] = [];
  let waitingBytes = 0;
  let isClosed = false;
  let wake: () => void = () => undefined;
  socket.on("message", (data, isBinary) => {
    const bytes = Buffer.isBuffer(data) ? data : Buffer.concat(Array.isArray(data) ? data : [Buffer.from(data)]);
    waiting.push(isBinary ? { bytes } : { text: bytes.toString("utf8") });
    waitingBytes += bytes.length;
    if (waitingBytes >= HIGH_WATER_BYTES || waiting.length >= HIGH_WATER_FRAMES) socket.pause();
    wake();
  });
  socket.on("error", () => undefined);
  socket.once("close", () => {
    isClosed = true;
    wake();
  });
  for (;;) {
    const frame = waiting.shift();
    if (frame === undefined) {
      if (isClosed) return;
      await new Promise<void>((resolve) => {
        wake = resolve;
      });
      continue;
    }
    waitingBytes -= "bytes" in frame ? frame.bytes.byteLength : Buffer.byteLength(frame.text);
    if (socket.isPaused && waitingBytes < HIGH_WATER_BYTES / 2 && waiting.length < HIGH_WATER_FRAMES / 2)
      socket.resume();
    await take(frame);
  }
}

function keepAlive(socket: WebSocket): () => void {
  let isAnswered = true;
  socket.on("pong", () => {
    isAnswered = true;
  });
  socket.on("message", () => {
    isAnswered = true;
  });
  const timer = setInterval(() => {
    // Who is held back cannot answer.
    if (!isAnswered && !socket.isPaused) return socket.terminate();
    isAnswered = false;
    socket.ping();
  }, PING_EVERY_MS);
  return () => clearInterval(timer);
}
