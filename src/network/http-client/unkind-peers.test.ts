import { once } from "node:events";
import type { ServerResponse } from "node:http";
import { type AddressInfo, createServer, type Socket } from "node:net";
import { setImmediate, setTimeout } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { freePort } from "../../../test/peers/free-port.ts";
import { startHttpServer } from "../../../test/support/http-server.ts";
import { openHttpClient } from "./http-client.ts";
import { readText } from "./read-body.ts";

const WAYS = [
  ["as usual", false],
  ["as bulk", true],
] as const;

describe.each(WAYS)("who asks, %s,", (_way, bulk) => {
  it("goes along with so many redirects, and no further", async () => {
    let requests = 0;
    await using server = await startHttpServer((_, response) => {
      requests += 1;
      response.writeHead(302, { location: `/again-${requests}` }).end();
    });
    await using client = openHttpClient({ baseUrl: server.url });
    await expect(client.request({ bulk })).rejects.toMatchObject({ code: "HTTP_REDIRECTED" });
    expect(requests).toBe(4);
  });

  it("does not hear a refusal out that never ends", async () => {
    await using server = await startHttpServer((_, response) => {
      const more = () => {
        while (!response.destroyed && response.write(Buffer.alloc(64 * 1024)));
      };
      response.writeHead(404).on("drain", more);
      more();
    });
    await using client = openHttpClient({ baseUrl: server.url });
    await expect(client.request({ bulk })).rejects.toMatchObject({ code: "HTTP_NOT_FOUND" });
  });

  it("is not kept by a log-in that nobody answers", async () => {
    const abort = new AbortController();
    await using server = await startHttpServer((_, response) => response.end());
    const logIn = (signal: AbortSignal) => once(signal, "abort").then(() => ({}));
    await using client = openHttpClient({ baseUrl: server.url, authentication: { logIn } });
    const asking = client.request({ bulk, signal: abort.signal });
    abort.abort(new Error("enough"));
    await expect(asking).rejects.toThrow("enough");
  });

  it("is told of a content coding that was not asked for, instead of its bytes", async () => {
    await using server = await startHttpServer((_, response) =>
      response.setHeader("content-encoding", "br").end("not text"),
    );
    await using client = openHttpClient({ baseUrl: server.url });
    await expect(client.request({ bulk })).rejects.toMatchObject({ code: "HTTP_CONTENT_UNEXPECTED" });
  });

  it("and leaves while waiting for a connection has asked nothing", async () => {
    const seen: string[] = [];
    const arrived = Promise.withResolvers<ServerResponse>();
    await using server = await startHttpServer(({ url = "" }, response) => {
      seen.push(url);
      if (url === "/first") arrived.resolve(response);
      else response.end();
    });
    await using client = openHttpClient({ baseUrl: server.url, connections: 1 });
    const ask = async (path: string, signal?: AbortSignal) => {
      await using response = await client.request({ method: "POST", path, body: "once", bulk, signal });
      return await readText(response, 100);
    };
    const first = ask("first");
    const response = await arrived.promise;
    const abort = new AbortController();
    const unwanted = ask("unwanted", abort.signal);
    // Nothing but promises is before it: then it waits.
    await setImmediate();
    abort.abort(new Error("enough"));
    await expect(unwanted).rejects.toThrow("enough");
    const last = ask("last");
    response.end();
    await Promise.all([first, last]);
    expect(seen).toEqual(["/first", "/last"]);
  });

  it("and leaves as a redirect comes does not follow it", async () => {
    const abort = new AbortController();
    await using server = await startHttpServer(({ url }, response) => {
      if (url === "/there") response.write("and never ends");
      else response.writeHead(302, { location: "/there" }).end();
    });
    await using client = openHttpClient({ baseUrl: server.url });
    const accepts = (status: number): boolean => {
      abort.abort(new Error("enough"));
      return status === 200;
    };
    await expect(client.request({ bulk, accepts, signal: abort.signal })).rejects.toThrow("enough");
  });

  it("is not taken for one whose peer is slow as long as enough comes", async () => {
    await using server = await startHttpServer((_, response) => {
      let left = 70;
      const timer = setInterval(() => {
        left -= 1;
        if (left > 0) return void response.write(Buffer.alloc(2_000));
        clearInterval(timer);
        response.end();
      }, 20);
      response.once("close", () => clearInterval(timer));
    });
    const slowest = { bytesPerSecond: 1_000, overMs: 1_000 };
    await using client = openHttpClient({ baseUrl: server.url, timeouts: { headersMs: 1_000, slowest } });
    await using response = await client.request({ bulk });
    expect(await readText(response, 1_000_000)).toHaveLength(69 * 2_000);
  });

  it("is not kept away for longer than a day", async () => {
    await using server = await startHttpServer((_, response) =>
      response.writeHead(503, { "retry-after": "999999999" }).end(),
    );
    await using client = openHttpClient({ baseUrl: server.url });
    await expect(client.request({ bulk })).rejects.toMatchObject({ retryAfterMs: 86_400_000 });
  });

  it("is waited for while he is busy, and waits no longer than usual when he goes on", async () => {
    const sizeBytes = 16 * 1024 * 1024;
    await using server = await startHttpServer((_, response) => void response.write(Buffer.alloc(sizeBytes)));
    await using client = openHttpClient({ baseUrl: server.url, timeouts: { headersMs: 300, idleMs: 300 } });
    await using response = await client.request({ bulk });
    let seenBytes = 0;
    const reading = async () => {
      for await (const piece of response.body) {
        if (seenBytes === 0) await setTimeout(900);
        seenBytes += piece.length;
      }
    };
    await expect(reading()).rejects.toMatchObject({ code: "HTTP_IDLE_TIMED_OUT" });
    expect(seenBytes).toBe(sizeBytes);
  });

  it("gets his own answer, whatever the one before left unread", async () => {
    await using server = await startHttpServer(({ url }, response) => response.end(`this is ${url}`));
    await using client = openHttpClient({ baseUrl: server.url, connections: 1 });
    for (const path of ["one", "another"]) {
      await using response = await client.request({ bulk, path });
      for await (const _ of response.body) break;
      await using unread = await client.request({ bulk, path: "unread" });
      expect(unread.status).toBe(200);
    }
    await using last = await client.request({ bulk, path: "last" });
    expect(await readText(last, 100)).toBe("this is /last");
  });

  it("has a connection again after those that could not be made", async () => {
    const port = await freePort();
    await using client = openHttpClient({ baseUrl: `http://127.0.0.1:${port}`, connections: 1 });
    for (const _ of [1, 2]) await expect(client.request({ bulk })).rejects.toMatchObject({ code: "CONNECTION_FAILED" });
    await using server = createServer((socket) =>
      socket.once("data", () => socket.end("HTTP/1.1 200 OK\r\nContent-Length: 7\r\n\r\narrived")),
    );
    await once(server.listen(port, "127.0.0.1"), "listening");
    expect(await readText(await client.request({ bulk }), 100)).toBe("arrived");
  });
});

it("does not send the next request behind one in bulk that was refused before it had been read", async () => {
  const sockets: Socket[] = [];
  await using server = createServer((socket) => {
    const status = sockets.push(socket) === 1 ? 413 : 204;
    socket.on("error", () => undefined);
    socket.once("data", () => {
      socket.pause();
      socket.write(`HTTP/1.1 ${status} So\r\nContent-Length: 0\r\n\r\n`);
    });
  });
  using stack = new DisposableStack();
  stack.defer(() => {
    for (const socket of sockets) socket.destroy();
  });
  await once(server.listen(0, "127.0.0.1"), "listening");
  const { port } = server.address() as AddressInfo;
  await using client = openHttpClient({ baseUrl: `http://127.0.0.1:${port}`, connections: 1 });
  const asked = { method: "POST", bulk: true } as const;
  const body = Buffer.alloc(64 * 1024 * 1024);
  await expect(client.request({ ...asked, body })).rejects.toMatchObject({ status: 413 });
  expect(await client.request({ ...asked, body: "short" })).toMatchObject({ status: 204 });
});
