import type { WebSocket } from "ws";
import { toGatewayError } from "../../../errors/gateway-error.ts";
import { errorFields } from "../../../observe/error-fields.ts";
import type { ScanDevice } from "../../../store/acquisitions.ts";
import type { ScanHubWorld } from "../world.ts";
import type { BinaryTap, BinaryTapOptions } from "./binary-tap.ts";
import { carryOut, type DeviceSession } from "./commands.ts";
import { createIncomingFiles } from "./incoming-file.ts";
import { type KeepAlive, keepAlive } from "./keep-alive.ts";
import { feedback, readMessage } from "./messages.ts";
import type { ConnectedDevice } from "./registry.ts";

/** Texts that wait for their turn: from the first of these on the socket is not read. */
const HIGH_WATER_CHARACTERS = 1024 * 1024;
const HIGH_WATER_FRAMES = 256;
/** Answers that the device does not read. */
const MAXIMUM_BUFFERED_BYTES = 16 * 1024 * 1024;

/** A socket whose binary frames come past it. */
export interface TappedSocket {
  readonly socket: WebSocket;
  readonly tap: Pick<BinaryTap, "start" | "textTaken" | "pause" | "resume">;
  /** Called with each piece of a binary frame, once. */
  onBinary: BinaryTapOptions["onBinary"];
}

/** Undefined: it is done with. A promise that never rejects: when it resolves. */
type TakeFrame = (frame: Frame) => Promise<void> | undefined;
type Frame = { readonly text: string } | { readonly bytes: Uint8Array; readonly isOwn: boolean };

/** Resolves when the connection is over and all that came of it is settled. */
export async function serveDevice(world: ScanHubWorld, tapped: TappedSocket, device: ScanDevice): Promise<void> {
  const { socket } = tapped;
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

  const alive = keepAlive(socket);
  const frames = receiveFrames(tapped, alive, (frame) => take(session, frame, logger));
  registry.add(connected);
  try {
    await store.changeScanDevice(device.id, { status: "ONLINE", isDeaf: false }, clock.nowMs());
    tapped.tap.start();
    logger.info("device connected", { device: device.id });
    await frames;
  } finally {
    alive[Symbol.dispose]();
    registry.remove(connected);
  }
  await files.end("SCAN_TRANSFER_CUT");
  // It may have come back meanwhile.
  if (registry.get(device.id) === undefined)
    await store.changeScanDevice(device.id, { status: "OFFLINE" }, clock.nowMs());
  logger.info("device disconnected", { device: device.id });
  while (work.size > 0) await Promise.all(work);
}

/** What goes wrong with one message is that message's alone. */
function take(session: DeviceSession, frame: Frame, logger: ScanHubWorld["logger"]): Promise<void> | undefined {
  const taking = "bytes" in frame ? session.files.take(frame.bytes) : hear(session, frame.text);
  return taking?.catch((thrown: unknown) => {
    logger.error("message of a device failed", errorFields(toGatewayError(thrown)));
    session.say(feedback("Internal server error."));
  });
}

async function hear(session: DeviceSession, text: string): Promise<void> {
  const message = readMessage(text);
  if (message === undefined) session.say(feedback("Invalid message: a JSON object is expected."));
  else await carryOut(session, message);
}

/**
 * Every text and every piece of a binary frame in order, one at a time. A piece is taken at once, or the socket is not read until it is.
 * Resolves when the socket is closed and nothing waits.
 */
function receiveFrames(tapped: TappedSocket, alive: KeepAlive, take: TakeFrame): Promise<void> {
  const { socket, tap } = tapped;
  const { promise: ended, resolve: end } = Promise.withResolvers<void>();
  const waiting: Frame[] = [];
  let waitingCharacters = 0;
  let waitingPieces = 0;
  let isTaking = false;
  let isHeldBack = false;
  let isClosed = false;

  const holdOrRelease = (): void => {
    const isTooMuch = waitingCharacters >= HIGH_WATER_CHARACTERS || waiting.length >= HIGH_WATER_FRAMES;
    const holds = waitingPieces > 0 || isTooMuch;
    if (holds === isHeldBack) return;
    isHeldBack = holds;
    alive.hold(holds);
    if (holds) tap.pause();
    else tap.resume();
  };
  const count = (frame: Frame, sign: 1 | -1): void => {
    if ("bytes" in frame) waitingPieces += sign;
    else waitingCharacters += sign * frame.text.length;
  };
  const done = (frame: Frame): void => {
    count(frame, -1);
    if ("bytes" in frame && frame.isOwn) giveBack(frame.bytes);
  };
  const goOn = (): void => {
    while (!isTaking) {
      const frame = waiting.shift();
      if (frame === undefined) break;
      const taking = take(frame);
      if (taking === undefined) {
        done(frame);
        continue;
      }
      isTaking = true;
      void taking.then(() => {
        isTaking = false;
        done(frame);
        goOn();
      });
    }
    holdOrRelease();
    if (isClosed && !isTaking && waiting.length === 0) end();
  };
  const add = (frame: Frame): void => {
    waiting.push(frame);
    count(frame, 1);
    goOn();
  };
  tapped.onBinary = (bytes, isOwn) => add({ bytes, isOwn });
  socket.on("message", (data) => {
    add({ text: String(data) });
    tap.textTaken();
  });
  socket.once("close", () => {
    isClosed = true;
    goOn();
  });
  return ended;
}

/** At once: tens of megabytes would pile up until the collector looks. */
function giveBack({ buffer }: Uint8Array): void {
  if (buffer instanceof ArrayBuffer && !buffer.detached) buffer.transfer(0);
}
