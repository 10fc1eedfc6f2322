import { createHash } from "node:crypto";
import { once } from "node:events";
import { connect, createServer, type Socket } from "node:net";
import { afterAll, expect, it } from "vitest";
import { createBlankResult, deleteBlankResult, getTask, setResult } from "../../src/compat/scanhub/exam-requests.ts";
import { openStandIn } from "../../src/compat/scanhub/stand-in.ts";
import { systemClock } from "../../src/units/clock.ts";
import { systemRandom } from "../../src/units/random.ts";
import { openScannerSite } from "../peers/scanhub-site.ts";

/*
 * What goes over the wire, byte for byte: requests as Python's `requests` 2.32 and `websockets` write them, answers as uvicorn does, and what
 * this gateway makes of them in both directions.
 */

const site = await openScannerSite();
afterAll(() => site[Symbol.asyncDispose]());
const { port } = new URL(site.exam);
const TASK = "4f4b0dcb-0ad5-4e52-9ab7-1bd4a7d52e4d";
const RESULT = "0a4c1a57-9f8e-4d6a-8f5b-6a2f0a9d1c33";

/** Bytes of a connection, taken one by one. */
function reader(socket: Socket) {
  let kept = Buffer.alloc(0);
  let isOver = false;
  let wake = (): void => undefined;
  socket.on("data", (bytes: Buffer) => {
    kept = Buffer.concat([kept, bytes]);
    wake();
  });
  socket.on("error", () => undefined);
  socket.once("close", () => {
    isOver = true;
    wake();
  });
  const until = async (isThere: () => boolean): Promise<void> => {
    while (!isThere()) {
      if (isOver) throw new Error(`the peer ended after ${kept.toString("latin1")}`);
      await new Promise<void>((resolve) => {
        wake = resolve;
      });
    }
  };
  const take = async (length: number): Promise<Buffer> => {
    await until(() => kept.length >= length);
    const taken = kept.subarray(0, length);
    kept = kept.subarray(length);
    return taken;
  };
  return {
    take,
    /** To the blank line, which is taken too. */
    async head(): Promise<string> {
      await until(() => kept.includes("\r\n\r\n"));
      return (await take(kept.indexOf("\r\n\r\n") + 4)).toString("latin1");
    },
  };
}

async function toFace(): Promise<Socket & AsyncDisposable> {
  const socket = connect(Number(port), "127.0.0.1");
  await once(socket, "connect");
  return socket;
}

/** RFC 9112: status line, fields, blank line; a body as long as Content-Length says. */
async function answerTo(request: string) {
  const socket = await toFace();
  const bytes = reader(socket);
  socket.write(request);
  const head = await bytes.head();
  const length = Number(/^content-length: (\d+)\r$/im.exec(head)?.[1] ?? 0);
  const body = (await bytes.take(length)).toString();
  socket.destroy();
  return { status: head.split("\r\n")[0], type: /^content-type: (.*)\r$/im.exec(head)?.[1], body };
}

/** As `requests` writes a call of `exam_requests`: no Content-Type with a body of text. */
function pythonRequest(method: string, path: string, body?: string): string {
  const length = body === undefined && method === "GET" ? [] : [`Content-Length: ${Buffer.byteLength(body ?? "")}`];
  return [
    `${method} /api/v1/exam/${path} HTTP/1.1`,
    `Host: 127.0.0.1:${port}`,
    "User-Agent: python-requests/2.32.4",
    "Accept-Encoding: gzip, deflate",
    "Accept: */*",
    "Connection: keep-alive",
    `Authorization: Bearer ${site.token}`,
    ...length,
    "",
    body ?? "",
  ].join("\r\n");
}

it("answers the six requests of ScanHub's device-manager, as its library writes them", async () => {
  const { id, sequence_id } = await site.addTask();
  const got = await answerTo(pythonRequest("GET", `task/${id}`));
  expect([got.status, got.type]).toEqual(["HTTP/1.1 200 OK", "application/json"]);
  // The whole model goes back, non-ASCII escaped as Python does.
  const changed = got.body.replace('"name":"scan"', '"name":"Sch\\u00e4del"');
  const put = await answerTo(pythonRequest("PUT", `task/${id}`, changed));
  expect(put.status).toBe("HTTP/1.1 200 OK");
  expect(JSON.parse(put.body)).toMatchObject({ id, name: "Schädel" });
  expect((await answerTo(pythonRequest("GET", `sequence/${String(sequence_id)}`))).body).toContain('"_id":"');
  const made = await answerTo(pythonRequest("POST", `result?task_id=${id}`));
  expect(made.status).toBe("HTTP/1.1 201 Created");
  const blank: { readonly id: string } = JSON.parse(made.body);
  const content = '{"type": "MRD", "directory": "/data/x", "files": ["a.mrd"], "meta": null}';
  const set = await answerTo(pythonRequest("PUT", `result/${blank.id}`, content));
  expect([set.status, JSON.parse(set.body)]).toEqual(["HTTP/1.1 200 OK", { ...blank, ...JSON.parse(content) }]);
  const deleted = await answerTo(pythonRequest("DELETE", `result?result_id=${blank.id}`));
  expect([deleted.status, deleted.body]).toEqual(["HTTP/1.1 204 No Content", ""]);
});

/** RFC 6455 5.2: FIN and opcode; mask bit and length, 16 bits more from 126, 64 from 65536; mask; payload. */
function clientFrame(opcode: number, payload: Buffer): Buffer {
  const mask = Buffer.of(0x37, 0xfa, 0x21, 0x3d);
  const length =
    payload.length < 126
      ? Buffer.of(0x80 | payload.length)
      : payload.length < 65_536
        ? Buffer.of(0x80 | 126, payload.length >>> 8, payload.length & 0xff)
        : Buffer.concat([Buffer.of(0x80 | 127), Buffer.alloc(4), Buffer.of(0, payload.length >>> 16, 0, 0)]);
  return Buffer.concat([Buffer.of(0x80 | opcode), length, mask, payload.map((byte, at) => byte ^ (mask[at & 3] ?? 0))]);
}

/** RFC 6455 4.1, as Python's `websockets` writes it. */
const HANDSHAKE = [
  "GET /api/v1/device/ws HTTP/1.1",
  `Host: 127.0.0.1:${port}`,
  "Upgrade: websocket",
  "Connection: Upgrade",
  "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
  "Sec-WebSocket-Version: 13",
  "Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits",
  "User-Agent: Python/3.13 websockets/15.0.1",
];
/** RFC 6455 1.3 gives the answer to that key. */
const ACCEPT = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";

it("speaks with a scanner in frames: handshake, texts, chunks of each length, close", async () => {
  const { id } = await site.addTask();
  const socket = await toFace();
  const bytes = reader(socket);
  const credentials = [`Device-Id: ${site.deviceId}`, `Device-Token: ${site.deviceToken}`];
  socket.write([...HANDSHAKE, ...credentials, "", ""].join("\r\n"));
  const head = await bytes.head();
  expect(head).toMatch(/^HTTP\/1\.1 101 Switching Protocols\r\n/);
  expect(head).toContain(`Sec-WebSocket-Accept: ${ACCEPT}\r\n`);
  // Compressed frames would not be bytes of a file.
  expect(head).not.toMatch(/sec-websocket-extensions/i);
  const say = (message: object) => socket.write(clientFrame(0x1, Buffer.from(JSON.stringify(message))));
  /** A server masks nothing: FIN and text, length, payload. */
  const hears = async (): Promise<unknown> => {
    const [first = 0, second = 0] = await bytes.take(2);
    expect(first).toBe(0x81);
    const length = second === 126 ? (await bytes.take(2)).readUInt16BE(0) : second;
    return JSON.parse((await bytes.take(length)).toString());
  };
  const ids = { task_id: id, user_access_token: site.token };
  say({ command: "update_status", status: "BUSY", data: { progress: 0 }, ...ids });
  expect(await hears()).toEqual({ command: "feedback", message: "Device BUSY update processed (progress=0%)." });
  const pieces = [Buffer.alloc(10, 1), Buffer.alloc(300, 2), Buffer.alloc(65_536 * 2, 3), Buffer.alloc(0)];
  const content = Buffer.concat(pieces);
  const sha256 = createHash("sha256").update(content).digest("hex");
  const file = { filename: "scan.mrd", size_bytes: content.length, content_type: "application/x-ismrmrd+hdf5", sha256 };
  say({ command: "file-transfer", ...ids, ...file, device_parameter: {} });
  for (const piece of pieces) socket.write(clientFrame(0x2, piece));
  expect(await hears()).toMatchObject({ command: "feedback", result_id: expect.any(String), sha256 });
  // RFC 6455 5.5.1: 1000, which comes back unmasked.
  socket.write(clientFrame(0x8, Buffer.of(0x03, 0xe8)));
  expect(await bytes.take(4)).toEqual(Buffer.of(0x88, 0x02, 0x03, 0xe8));
  socket.destroy();
});

/** Answers one request after the other with these bytes, and keeps what was asked. */
async function scripted(...answers: readonly string[]) {
  const asked: { head: string; body: string }[] = [];
  const left = [...answers];
  const server = createServer((socket) => {
    const bytes = reader(socket);
    void (async () => {
      for (;;) {
        const head = await bytes.head();
        const length = Number(/^content-length: (\d+)\r$/im.exec(head)?.[1] ?? 0);
        asked.push({ head, body: (await bytes.take(length)).toString() });
        socket.write(left.shift() ?? "");
      }
    })().catch(() => undefined);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  const own = typeof address === "object" && address !== null ? address.port : 0;
  return { asked, port: own, [Symbol.asyncDispose]: async () => void server.close() };
}

/** As uvicorn writes it: its own fields in lower case, then the application's. */
function uvicorn(status: string, body = "", type = "application/json"): string {
  const date = "date: Sat, 30 Aug 2025 09:48:19 GMT";
  if (body === "") return [`HTTP/1.1 ${status}`, date, "server: uvicorn", "", ""].join("\r\n");
  const facts = [`content-length: ${Buffer.byteLength(body)}`, `content-type: ${type}`];
  return [`HTTP/1.1 ${status}`, date, "server: uvicorn", ...facts, "", body].join("\r\n");
}

const BLANK = `{"type":"NOT_SET","directory":"","files":[],"meta":null,"task_id":"${TASK}","id":"${RESULT}","datetime_created":"2025-08-30T09:48:19.123456"}`;

it("asks an exam-manager in bytes that it understands, and reads uvicorn's", async () => {
  await using manager = await scripted(
    uvicorn("201 Created", BLANK),
    uvicorn("200 OK", BLANK.replace("NOT_SET", "MRD")),
    uvicorn("204 No Content"),
    uvicorn("500 Internal Server Error", "Internal Server Error", "text/plain; charset=utf-8"),
  );
  const options = { url: `http://127.0.0.1:${manager.port}/api/v1/exam` };
  expect((await createBlankResult(TASK, "token", options)).id).toBe(RESULT);
  const content = { type: "MRD", directory: "/data/x", files: ["a.mrd"] } as const;
  expect((await setResult(RESULT, content, "token", options)).type).toBe("MRD");
  await deleteBlankResult(RESULT, "token", options);
  await expect(getTask(TASK, "token", options)).rejects.toMatchObject({ status: 404, upstreamStatus: 500 });
  expect(manager.asked.map(({ head, body }) => [head.split("\r\n")[0], body])).toEqual([
    [`POST /api/v1/exam/result?task_id=${TASK} HTTP/1.1`, ""],
    [`PUT /api/v1/exam/result/${RESULT} HTTP/1.1`, JSON.stringify(content)],
    [`DELETE /api/v1/exam/result/${RESULT} HTTP/1.1`, ""],
    [`GET /api/v1/exam/task/${TASK} HTTP/1.1`, ""],
  ]);
  for (const { head } of manager.asked) expect(head).toMatch(/^authorization: Bearer token\r$/im);
  const [post = "", put = ""] = manager.asked.map(({ head }) => head);
  expect(post).toMatch(/^content-length: 0\r$/im);
  expect(put).toMatch(/^content-type: application\/json\r$/im);
});

it("is a scanner to a device-manager: credentials in the handshake, masked texts", async () => {
  const server = createServer();
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  const own = typeof address === "object" && address !== null ? address.port : 0;
  const standing = openStandIn({
    url: `ws://127.0.0.1:${own}/api/v1/device/ws`,
    deviceId: site.deviceId,
    deviceToken: "abc",
    content: { sizeBytes: 10 },
    fileName: "scan.mrd",
    steps: 1,
    stepMs: 0,
    clock: systemClock,
    random: systemRandom,
  });
  const [socket]: Socket[] = await once(server, "connection");
  if (socket === undefined) throw new Error("nobody connected");
  const bytes = reader(socket);
  const head = await bytes.head();
  expect(head).toMatch(/^GET \/api\/v1\/device\/ws HTTP\/1\.1\r\n/);
  expect(head).toMatch(new RegExp(`^device-id: ${site.deviceId}\\r$`, "im"));
  expect(head).toMatch(/^device-token: abc\r$/im);
  const key = /^sec-websocket-key: (\S+)\r$/im.exec(head)?.[1] ?? "";
  // RFC 6455 4.2.2.
  const accept = createHash("sha1").update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest("base64");
  const fields = ["Upgrade: websocket", "Connection: Upgrade", `Sec-WebSocket-Accept: ${accept}`];
  socket.write(["HTTP/1.1 101 Switching Protocols", ...fields, "", ""].join("\r\n"));
  const heard = async (): Promise<unknown> => {
    const [first = 0, second = 0] = await bytes.take(2);
    // FIN and text; masked.
    expect([first, second & 0x80]).toEqual([0x81, 0x80]);
    const short = second & 0x7f;
    const length = short === 126 ? (await bytes.take(2)).readUInt16BE(0) : short;
    const mask = await bytes.take(4);
    return JSON.parse((await bytes.take(length)).map((byte, at) => byte ^ (mask[at & 3] ?? 0)).toString());
  };
  const device = await standing;
  expect(await heard()).toEqual({ command: "update_status", status: "ONLINE" });
  expect(await heard()).toMatchObject({ command: "register", data: { modality: "MR" } });
  socket.destroy();
  await device[Symbol.asyncDispose]();
  server.close();
});

it("outlives those who ask for a WebSocket where there is none, and are gone before they are answered", async () => {
  const asked = "GET /nothing HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n";
  for (let count = 0; count < 100; count += 1) {
    const socket = await toFace();
    socket.write(asked, () => socket.resetAndDestroy());
    await once(socket, "close");
  }
  expect(await answerTo(asked)).toMatchObject({ status: "HTTP/1.1 404 Not Found" });
});
