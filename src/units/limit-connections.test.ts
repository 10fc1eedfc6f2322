import { once } from "node:events";
import { createServer, type RequestListener } from "node:http";
import { type AddressInfo, connect, type Socket } from "node:net";
import { afterEach, expect, it, vi } from "vitest";
import { limitConnections } from "./limit-connections.ts";
import { silentLogger } from "./logger.ts";

afterEach(() => vi.restoreAllMocks());

/** Two at once. */
async function serve(handler: RequestListener) {
  const turnedAway: unknown[] = [];
  const server = createServer(handler);
  const warn = (_: string, fields: object = {}): void => void turnedAway.push({ ...fields });
  limitConnections(server, { maximum: 2, logger: { ...silentLogger, warn } });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  const sockets: Socket[] = [];
  return {
    turnedAway,
    /** All of 127.0.0.0/8 are this machine. */
    async from(localAddress: string): Promise<Socket> {
      const arrived = once(server, "connection");
      const socket = connect({ port, host: "127.0.0.1", localAddress });
      socket.on("error", () => socket.destroy());
      sockets.push(socket);
      await arrived;
      return socket;
    },
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
}

async function ask(socket: Socket): Promise<string> {
  socket.write("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
  const [answer] = await once(socket, "data");
  return String(answer).slice(0, 15);
}

const answerAtOnce: RequestListener = (_, response) => response.end();

it("closes one of the host that has most for another host, an idle one before one at work", async () => {
  const asked = Promise.withResolvers<() => void>();
  await using server = await serve((_, response) => asked.resolve(() => response.end()));
  const working = await server.from("127.0.0.2");
  const answered = ask(working);
  const answer = await asked.promise;
  const idle = await server.from("127.0.0.2");
  await Promise.all([once(idle, "close"), server.from("127.0.0.3")]);
  answer();
  expect(await answered).toBe("HTTP/1.1 200 OK");
  expect(server.turnedAway).toEqual([{ remoteHost: "127.0.0.2" }]);
});

it("closes one at work where the host that has most has no other", async () => {
  const both = Promise.withResolvers<void>();
  let asked = 0;
  await using server = await serve(() => {
    asked += 1;
    if (asked === 2) both.resolve();
  });
  const first = await server.from("127.0.0.2");
  const second = await server.from("127.0.0.2");
  for (const socket of [first, second]) socket.write("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\n");
  await both.promise;
  await Promise.all([once(first, "close"), server.from("127.0.0.3")]);
  expect(second.destroyed).toBe(false);
});

it("lets a host that has most in where one of its own lies idle, and not at once", async () => {
  await using server = await serve(answerAtOnce);
  const first = await server.from("127.0.0.2");
  const second = await server.from("127.0.0.2");
  await once(await server.from("127.0.0.2"), "close");
  const later = performance.now() + 1_000;
  vi.spyOn(performance, "now").mockReturnValue(later);
  const [third] = await Promise.all([server.from("127.0.0.2"), once(first, "close")]);
  expect(await Promise.all([ask(second), ask(third)])).toEqual(["HTTP/1.1 200 OK", "HTTP/1.1 200 OK"]);
});

it("makes room again when connections end", async () => {
  await using server = await serve(answerAtOnce);
  for (let time = 0; time < 5; time += 1) {
    const socket = await server.from("127.0.0.2");
    expect(await ask(socket)).toBe("HTTP/1.1 200 OK");
    await Promise.all([once(socket, "close"), socket.end()]);
  }
  expect(server.turnedAway).toEqual([]);
});
