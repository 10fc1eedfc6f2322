import { once } from "node:events";
import { type AddressInfo, createServer, type Server, type Socket } from "node:net";
import { describe, expect, it } from "vitest";
import { openHttpClient } from "../http-client.ts";
import { readText } from "../read-body.ts";

interface Peer extends AsyncDisposable {
  readonly url: string;
  /** What it was sent over each connection. */
  readonly requests: readonly string[][];
  readonly sockets: readonly Socket[];
}

/** Answers each request with these bytes. */
async function startPeer(answer: (number: number, socket: Socket) => string | undefined): Promise<Peer> {
  const requests: string[][] = [];
  const sockets: Socket[] = [];
  let number = 0;
  const server: Server = createServer((socket) => {
    const own: string[] = [];
    requests.push(own);
    sockets.push(socket);
    socket.on("error", () => socket.destroy());
    socket.on("data", (bytes) => {
      own.push(bytes.toString());
      const text = answer(number++, socket);
      if (text !== undefined) socket.write(text);
    });
  });
  await once(server.listen(0, "127.0.0.1"), "listening");
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests,
    sockets,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, "close");
    },
  };
}

const OK = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

function clientOf(peer: Peer, connections = 1) {
  const client = openHttpClient({ baseUrl: `${peer.url}/base`, connections });
  const ask = async (more: Parameters<typeof client.request>[0] = {}): Promise<string> => {
    await using response = await client.request({ bulk: true, ...more });
    return await readText(response, 100);
  };
  return { client, ask };
}

describe("connections for bulk", () => {
  it("carry one request after the other, each as HTTP has it", async () => {
    await using peer = await startPeer(() => OK);
    const { client, ask } = clientOf(peer);
    await using _closed = client;
    expect(await ask({ path: "a", query: [["b", "c d"]], headers: { Accept: "*/*" } })).toBe("ok");
    expect(await ask({ method: "POST", body: "ü" })).toBe("ok");
    expect(await ask({ method: "POST" })).toBe("ok");
    const host = peer.url.replace("http://", "");
    const head = (line: string, ...more: readonly string[]) =>
      [
        `${line} HTTP/1.1`,
        `host: ${host}`,
        "connection: keep-alive",
        "accept-encoding: identity",
        ...more,
        "",
        "",
      ].join("\r\n");
    expect(peer.requests).toEqual([
      [
        head("GET /base/a?b=c+d", "accept: */*"),
        `${head("POST /base", "content-length: 2")}ü`,
        head("POST /base", "content-length: 0"),
      ],
    ]);
  });

  it.each([
    ["says that it closes", "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok"],
    ["says more than the answer", `${OK}HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil`],
  ])("are used no more when the peer %s", async (_, answer) => {
    await using peer = await startPeer((number) => (number === 0 ? answer : OK));
    const { client, ask } = clientOf(peer);
    await using _closed = client;
    expect(await ask()).toBe("ok");
    expect(await ask()).toBe("ok");
    expect(peer.requests.length).toBe(2);
  });

  it("are used no more when the peer ended them, or spoke unasked, while they rested", async () => {
    for (const end of [
      (socket?: Socket) => socket?.end(),
      (socket?: Socket) => socket?.write("HTTP/1.1 408 Late\r\n\r\n"),
    ]) {
      await using peer = await startPeer(() => OK);
      const { client, ask } = clientOf(peer);
      await using _closed = client;
      await ask();
      const [socket] = peer.sockets;
      const closed = once(socket ?? process, "close");
      end(socket);
      socket?.resume();
      await closed;
      expect(await ask()).toBe("ok");
      expect(peer.requests.length).toBe(2);
    }
  });

  it("that the peer speaks over unasked bring no answer", async () => {
    await using server = createServer((socket) => {
      socket.on("error", () => socket.destroy()).resume();
      socket.write("SSH-2.0-OpenSSH_9.6\r\n");
    });
    await once(server.listen(0, "127.0.0.1"), "listening");
    await using client = openHttpClient({ baseUrl: `http://127.0.0.1:${(server.address() as AddressInfo).port}` });
    await expect(client.request({ bulk: true })).rejects.toMatchObject({ code: "HTTP_PROTOCOL_VIOLATION" });
  });

  it("are waited for by who comes when all are in use, and not by who has left", async () => {
    const { promise: asked, resolve } = Promise.withResolvers<void>();
    await using peer = await startPeer((number) => {
      if (number > 0) return OK;
      resolve();
      return undefined;
    });
    const { client, ask } = clientOf(peer);
    await using _closed = client;
    const first = ask();
    await asked;
    const abort = new AbortController();
    const second = ask({ signal: abort.signal });
    const third = ask();
    abort.abort(new Error("enough"));
    await expect(second).rejects.toThrow("enough");
    peer.sockets[0]?.write(OK);
    expect(await Promise.all([first, third])).toEqual(["ok", "ok"]);
    expect(peer.requests.length).toBe(1);
  });

  it("whose answer is not read, or left in the middle, make room for others", async () => {
    await using peer = await startPeer(() => `HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nbegun`);
    const { client } = clientOf(peer);
    await using _closed = client;
    const closed: Promise<unknown>[] = [];
    for (const isRead of [false, true]) {
      await using response = await client.request({ bulk: true });
      closed.push(once(peer.sockets.at(-1) ?? process, "close"));
      if (isRead) for await (const _ of response.body) break;
    }
    await Promise.all(closed);
    expect(peer.sockets.length).toBe(2);
  });

  it("end with their client, and what is under way with them", async () => {
    const { promise: asked, resolve } = Promise.withResolvers<void>();
    await using peer = await startPeer((number) => {
      if (number === 1) resolve();
      return number === 0 ? "HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nbegun" : undefined;
    });
    const { client, ask } = clientOf(peer, 2);
    const response = await client.request({ bulk: true });
    const [body, head] = [readText(response, 2_000), ask()];
    const waiting = ask();
    const failures = [body, head, waiting].map((each) => expect(each).rejects.toMatchObject({ code: "CANCELLED" }));
    await asked;
    await client[Symbol.asyncDispose]();
    await Promise.all(failures);
    await expect(ask()).rejects.toMatchObject({ code: "CANCELLED" });
  });

  it("never carry a header that would be two", async () => {
    await using peer = await startPeer(() => OK);
    const { client, ask } = clientOf(peer);
    await using _closed = client;
    await expect(ask({ headers: { accept: "a\r\nx: b" } })).rejects.toMatchObject({ code: "CONNECTION_FAILED" });
    expect(peer.requests).toEqual([]);
  });

  it("are held open for nobody while the peer connects slowly", async () => {
    const abort = new AbortController();
    await using client = openHttpClient({ baseUrl: "http://192.0.2.1", timeouts: { connectMs: 30 } });
    await expect(client.request({ bulk: true })).rejects.toMatchObject({ class: "transient" });
    const asking = client.request({ bulk: true, signal: abort.signal });
    abort.abort(new Error("enough"));
    await expect(asking).rejects.toThrow("enough");
  });
});
