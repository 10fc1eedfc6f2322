import { join } from "node:path";
import { WebSocket } from "ws";
import { readScanHubSettings } from "../../src/compat/scanhub/settings.ts";
import { createUserToken, registerDevice } from "../../src/compat/scanhub/tokens.ts";
import { openScanHubOver } from "../../src/gateway/open-scanhub.ts";
import { openSqliteStore } from "../../src/store/sqlite/open.ts";
import type { Store } from "../../src/store/store.ts";
import type { Role } from "../../src/units/actor.ts";
import { systemClock } from "../../src/units/clock.ts";
import { systemRandom } from "../../src/units/random.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";

export interface ScannerSite extends AsyncDisposable {
  readonly exam: string;
  readonly devices: string;
  readonly webSocket: string;
  readonly lake: string;
  readonly home: string;
  readonly store: Store;
  /** Of an operator. */
  readonly token: string;
  /** Another user's. */
  tokenOf(role: Role): Promise<string>;
  readonly deviceId: string;
  readonly deviceToken: string;
  request(method: string, url: string, options?: RequestFacts): Promise<Reply>;
  /** A sequence's id. */
  addSequence(file?: Uint8Array): Promise<string>;
  /** A task of this site's device with a sequence; its whole document. */
  addTask(facts?: object): Promise<Document>;
}

export type Document = Record<string, unknown> & { readonly id: string };

interface RequestFacts {
  readonly body?: unknown;
  readonly raw?: string;
  readonly token?: string | null;
  readonly headers?: Record<string, string>;
}

export interface Reply {
  readonly status: number;
  readonly body: unknown;
  readonly headers: Headers;
}

export const WORKFLOW_ID = "7d3f2c1a-0000-4000-8000-00000000000f";
const XYZ = { x: 1, y: 1, z: 1 };
export const PARAMETERS = { fov_scaling: XYZ, fov_offset: XYZ, fov_rotation: XYZ };
export const PULSEQ = Buffer.from("# Pulseq sequence file\n[VERSION]\nmajor 1\nminor 4\n", "utf8");

/** The whole face on a free port, with a user and a device. */
export async function openScannerSite(
  options: { readonly environment?: Record<string, string>; readonly folder?: string } = {},
): Promise<ScannerSite> {
  await using opened = new AsyncDisposableStack();
  const home = options.folder ?? opened.use(await temporaryFolder()).path;
  const lake = join(home, "lake");
  const settings = readScanHubSettings({
    DATA_LAKE_DIRECTORY: lake,
    RADFERRY_SCAN_RESERVE_GIGABYTES: "0",
    ...options.environment,
  });
  const store = opened.use(await openSqliteStore({ path: join(home, "radferry.db") }));
  const face = opened.use(await openScanHubOver({ settings, store, host: "127.0.0.1", port: 0 }));
  const world = { store, clock: systemClock, random: systemRandom };
  const { token } = await createUserToken(world, { user: "anna", role: "operator" });
  const { device, token: deviceToken } = await registerDevice(world, { name: "scanner", description: "3 T" });
  // With a certificate, whoever asks has to know it.
  const s = settings.tls === undefined ? "" : "s";
  const base = `http${s}://127.0.0.1:${face.port}/api/v1`;
  const request = (method: string, url: string, facts: RequestFacts = {}) => ask(method, url, { token, ...facts });
  const closing = opened.move();
  const site: ScannerSite = {
    exam: `${base}/exam`,
    devices: `${base}/device`,
    webSocket: `ws${s}://127.0.0.1:${face.port}/api/v1/device/ws`,
    lake,
    home,
    store,
    token,
    tokenOf: async (role) => (await createUserToken(world, { user: role, role })).token,
    deviceId: device.id,
    deviceToken,
    request,
    addSequence: (file = PULSEQ) => addSequence(site, file),
    addTask: (facts = {}) => addTask(site, facts),
    [Symbol.asyncDispose]: () => closing.disposeAsync(),
  };
  return site;
}

async function ask(method: string, url: string, { body, raw, token, headers = {} }: RequestFacts): Promise<Reply> {
  const answer = await fetch(url, {
    method,
    redirect: "manual",
    headers: { ...(token === null ? {} : { authorization: `Bearer ${token}` }), ...headers },
    ...(body === undefined && raw === undefined ? {} : { body: Buffer.from(raw ?? JSON.stringify(body)) }),
  });
  const text = await answer.text();
  const isJson = answer.headers.get("content-type")?.includes("json") ?? false;
  return { status: answer.status, body: isJson ? JSON.parse(text) : text, headers: answer.headers };
}

async function addSequence({ exam, token }: ScannerSite, file: Uint8Array): Promise<string> {
  const form = new FormData();
  form.set("seq_file", new File([Uint8Array.from(file)], "gre.seq"));
  for (const [name, value] of Object.entries({ name: "gre", description: "d", sequence_type: "PULSEQ", tags: "a" }))
    form.set(name, value);
  const answer = await fetch(`${exam}/sequence`, {
    method: "POST",
    body: form,
    headers: { authorization: `Bearer ${token}` },
  });
  const sequence = (await answer.json()) as { readonly _id: string };
  return sequence._id;
}

export function taskDocument(facts: object = {}): Record<string, unknown> {
  return {
    workflow_id: WORKFLOW_ID,
    name: "scan",
    description: "a scan",
    task_type: "ACQUISITION",
    destination: "",
    status: "NEW",
    progress: 0,
    is_template: false,
    sequence_id: null,
    acquisition_parameter: PARAMETERS,
    ...facts,
  };
}

async function addTask(site: ScannerSite, facts: object): Promise<Document> {
  const sequence = "sequence_id" in facts ? {} : { sequence_id: await site.addSequence() };
  const body = taskDocument({ device_id: site.deviceId, ...sequence, ...facts });
  const answer = await site.request("POST", `${site.exam}/task/new`, { body });
  return answer.body as Document;
}

/** A device that a test speaks for, frame by frame. */
export interface ScriptedDevice extends AsyncDisposable {
  readonly socket: WebSocket;
  say(message: object | string): void;
  /** One binary frame. */
  send(bytes: Uint8Array): void;
  /** The next message of the gateway. */
  next(): Promise<Record<string, unknown>>;
  readonly closed: Promise<{ readonly code: number; readonly reason: string }>;
}

export async function connectDevice(
  { webSocket, deviceId, deviceToken }: Pick<ScannerSite, "webSocket" | "deviceId" | "deviceToken">,
  headers: Record<string, string> = { "Device-Id": deviceId, "Device-Token": deviceToken },
): Promise<ScriptedDevice> {
  const socket = new WebSocket(webSocket, { headers, perMessageDeflate: false });
  const messages: Record<string, unknown>[] = [];
  let wake: () => void = () => undefined;
  socket.on("message", (data) => {
    messages.push(JSON.parse(String(data)));
    wake();
  });
  socket.on("error", () => undefined);
  const closed = new Promise<{ code: number; reason: string }>((resolve) => {
    socket.once("close", (code, reason) => {
      resolve({ code, reason: String(reason) });
      wake();
    });
  });
  await new Promise<void>((resolve) => {
    socket.once("open", () => resolve());
    socket.once("close", () => resolve());
  });
  return {
    socket,
    closed,
    say: (message) => socket.send(typeof message === "string" ? message : JSON.stringify(message)),
    send: (bytes) => socket.send(bytes, { binary: true }),
    async next() {
      for (;;) {
        const message = messages.shift();
        if (message !== undefined) return message;
        if (socket.readyState === socket.CLOSED) throw new Error("the gateway closed the connection");
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
    },
    async [Symbol.asyncDispose]() {
      socket.close();
      await closed;
    },
  };
}
