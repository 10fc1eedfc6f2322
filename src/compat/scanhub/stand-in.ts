import { createHash } from "node:crypto";
import { WebSocket } from "ws";
import { GatewayError } from "../../errors/gateway-error.ts";
import type { Clock } from "../../units/clock.ts";
import type { Random } from "../../units/random.ts";
import { readMessage } from "./device/messages.ts";

/** How a stand-in behaves. */
export interface StandInOptions {
  /** Such as `ws://127.0.0.1:8000/api/v1/device/ws`. */
  readonly url: string;
  readonly deviceId: string;
  readonly deviceToken: string;
  /** What it sends for each task: bytes, or as many made-up ones. */
  readonly content: { readonly bytes: Buffer } | { readonly sizeBytes: number };
  readonly fileName: string;
  /** Reports of progress between begin and end. */
  readonly steps: number;
  readonly stepMs: number;
  readonly clock: Clock;
  readonly random: Random;
  readonly onEvent?: (event: string, facts: { readonly task?: string; readonly message?: string }) => void;
  readonly rejectUnauthorized?: boolean;
}

export interface StandIn extends AsyncDisposable {
  /** Resolves with the number of tasks that were done, when so many are, or the signal ends it. */
  run(tasks: number, signal: AbortSignal): Promise<number>;
}

const CHUNK_BYTES = 1024 * 1024;
const CONNECT_TIMEOUT_MS = 10_000;
/** The gateway answers when the file is published. */
const ANSWER_TIMEOUT_MS = 120_000;
const HDF5_SIGNATURE = Buffer.from("\x89HDF\r\n\x1a\n", "latin1");

type Message = Readonly<Record<string, unknown>>;

function isStart({ command }: Message): boolean {
  return command === "start";
}

/** A device that takes tasks, reports progress and sends data like a scanner's, as the second version of ScanHub's own software does. */
export async function openStandIn(options: StandInOptions): Promise<StandIn> {
  const { url, deviceId, deviceToken, rejectUnauthorized = true } = options;
  const socket = new WebSocket(url, {
    headers: { "Device-Id": deviceId, "Device-Token": deviceToken },
    handshakeTimeout: CONNECT_TIMEOUT_MS,
    perMessageDeflate: false,
    rejectUnauthorized,
  });
  const inbox = createInbox(socket);
  await inbox.opened;
  const say = (message: object): void => socket.send(JSON.stringify(message), () => undefined);
  say({ command: "update_status", status: "ONLINE" });
  say({ command: "register", data: { device_name: "stand-in", manufacturer: "Radferry", modality: "MR" } });
  return {
    async run(tasks, signal) {
      let done = 0;
      while (done < tasks) {
        const start = await inbox.next(isStart, signal);
        if (start === undefined) break;
        await acquire(options, { socket, inbox, say }, start.data, signal);
        done += 1;
      }
      return done;
    },
    async [Symbol.asyncDispose]() {
      socket.close(1000);
      await inbox.closed;
    },
  };
}

interface Inbox {
  readonly opened: Promise<void>;
  readonly closed: Promise<void>;
  /** The next message that is meant; undefined when the signal ended the wait. @throws GatewayError SCAN_DEVICE_OFFLINE when the connection ended */
  next(isMeant: (message: Message) => boolean, signal: AbortSignal): Promise<Message | undefined>;
}

function createInbox(socket: WebSocket): Inbox {
  const messages: Message[] = [];
  let isClosed = false;
  let wake: () => void = () => undefined;
  const { promise: closed, resolve: close } = Promise.withResolvers<void>();
  const opened = new Promise<void>((resolve, reject) => {
    socket.once("open", () => resolve());
    socket.on("error", (thrown) => reject(new GatewayError("SCAN_DEVICE_OFFLINE", {}, thrown)));
  });
  socket.on("message", (data) => {
    const message = readMessage(String(data));
    // Unread answers of a long run are not kept.
    if (message !== undefined && messages.push(message) > 10_000) messages.shift();
    wake();
  });
  socket.once("close", () => {
    isClosed = true;
    close();
    wake();
  });
  return {
    opened,
    closed,
    async next(isMeant, signal) {
      for (;;) {
        const index = messages.findIndex(isMeant);
        if (index !== -1) {
          const [meant, ...before] = messages.splice(0, index + 1).toReversed();
          // What it was sent while it was at another task is its next one; what else it has not read is over.
          messages.unshift(...before.filter(isStart).toReversed());
          return meant;
        }
        if (signal.aborted) return undefined;
        if (isClosed) throw new GatewayError("SCAN_DEVICE_OFFLINE");
        await new Promise<void>((resolve) => {
          wake = resolve;
          signal.addEventListener("abort", () => resolve(), { once: true });
        });
      }
    },
  };
}

interface Line {
  readonly socket: WebSocket;
  readonly inbox: Inbox;
  readonly say: (message: object) => void;
}

async function acquire(options: StandInOptions, line: Line, data: unknown, signal: AbortSignal): Promise<void> {
  const { steps, stepMs, clock, onEvent } = options;
  const payload = { ...(typeof data === "object" && data !== null ? data : {}) };
  const [taskId, token] = [Reflect.get(payload, "id"), Reflect.get(payload, "access_token")].map(String);
  const parameter: unknown = Reflect.get(payload, "device_parameter") ?? {};
  onEvent?.("start", { task: taskId ?? "" });
  const busy = (progress: number): void =>
    line.say({
      command: "update_status",
      status: "BUSY",
      data: { progress },
      task_id: taskId,
      user_access_token: token,
    });
  for (let step = 0; step < steps; step += 1) {
    busy(Math.floor((100 * step) / steps));
    await clock.sleep(stepMs, signal);
  }
  const bytes = dataLikeAScanners(options);
  // The second version says 100 before it sends.
  busy(100);
  await sendFile(options, line, { taskId: taskId ?? "", token: token ?? "", parameter, bytes });
  line.say({ command: "update_status", status: "ONLINE" });
  const timeout = AbortSignal.any([signal, AbortSignal.timeout(ANSWER_TIMEOUT_MS)]);
  const answer = await line.inbox.next(
    ({ message }) => /saved to datalake|Error|mismatch|Incomplete/.test(String(message)),
    timeout,
  );
  onEvent?.("answer", { task: taskId ?? "", message: String(answer?.message ?? "none") });
}

async function sendFile(
  { fileName }: StandInOptions,
  { socket, say }: Line,
  file: { readonly taskId: string; readonly token: string; readonly parameter: unknown; readonly bytes: Buffer },
): Promise<void> {
  const { taskId, token, parameter, bytes } = file;
  say({
    command: "file-transfer",
    task_id: taskId,
    user_access_token: token,
    filename: fileName,
    size_bytes: bytes.length,
    content_type: fileName.endsWith(".mrd") ? "application/x-ismrmrd+hdf5" : "application/octet-stream",
    sha256: createHash("sha256").update(bytes).digest("hex"),
    device_parameter: parameter,
  });
  for (let at = 0; at < bytes.length; at += CHUNK_BYTES) {
    await new Promise<void>((resolve, reject) =>
      socket.send(bytes.subarray(at, at + CHUNK_BYTES), { binary: true }, (error) =>
        error ? reject(error) : resolve(),
      ),
    );
  }
}

/** Of the wanted size, beginning as an HDF5 file does; the rest is noise. */
function dataLikeAScanners({ content, random }: StandInOptions): Buffer {
  if ("bytes" in content) return content.bytes;
  const { sizeBytes } = content;
  return Buffer.concat([HDF5_SIGNATURE, random.bytes(Math.max(0, sizeBytes - HDF5_SIGNATURE.length))]).subarray(
    0,
    sizeBytes,
  );
}
