import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import { expect, it } from "vitest";
import { type Fault, startFaultProxy } from "./fault-proxy.ts";

/** A server that sends back what it gets. */
async function startEcho(): Promise<AsyncDisposable & { readonly port: number }> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket.on("error", () => undefined));
    socket.pipe(socket);
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    port: (server.address() as AddressInfo).port,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, "close");
    },
  };
}

/** What comes back until the connection ends, or until as much has come as was sent; and how it ended. */
async function exchange(port: number, text: string): Promise<{ readonly back: string; readonly end: string }> {
  const socket = connect(port, "127.0.0.1");
  let back = "";
  let end = "open";
  socket.write(text);
  const over = Promise.withResolvers<void>();
  socket.on("error", (thrown: NodeJS.ErrnoException) => {
    end = thrown.code ?? "error";
  });
  socket.on("data", (bytes) => {
    back += bytes.toString("latin1");
    if (back.length === text.length) over.resolve();
  });
  socket.on("close", () => {
    if (end === "open") end = "closed";
    over.resolve();
  });
  await over.promise;
  socket.destroy();
  return { back, end };
}

const CASES: readonly (readonly [string, Fault, { readonly back: string; readonly end: string }])[] = [
  ["refuses", { kind: "refused" }, { back: "", end: "ECONNRESET" }],
  ["resets after some bytes of the answer", { kind: "reset", afterBytes: 4 }, { back: "0123", end: "ECONNRESET" }],
  [
    "cuts after some bytes of the question",
    { kind: "cut", direction: "to", afterBytes: 0 },
    { back: "", end: "closed" },
  ],
  ["changes one byte", { kind: "corrupt", afterBytes: 2 }, { back: "01\xb23456789", end: "open" }],
  ["passes slowly, and all of it", { kind: "slow" }, { back: "0123456789", end: "open" }],
];

it.each(CASES)("%s", async (_, fault, expected) => {
  await using echo = await startEcho();
  await using proxy = await startFaultProxy(echo.port, fault);
  const { back, end } = await exchange(proxy.port, "0123456789");
  expect(expected.back.startsWith(back)).toBe(true);
  expect(end).toBe(expected.end);
  expect(proxy.hits).toBe(1);
});

it.each(["stalled", "half-open"] as const)("keeps a %s connection silent until it is mended", async (kind) => {
  await using echo = await startEcho();
  await using proxy = await startFaultProxy(echo.port, { kind, afterBytes: 3 });
  const silent = exchange(proxy.port, "0123456789");
  while (proxy.hits === 0) await new Promise(setImmediate);
  proxy.mend();
  expect(await silent).toEqual({ back: "012", end: "closed" });
  expect(await exchange(proxy.port, "0123456789")).toEqual({ back: "0123456789", end: "open" });
});

it("lets through what the server says of a connection whose asker fell silent", async () => {
  const server = createServer((socket) => {
    // It has got what came before the fault, and gives up.
    socket.on("error", () => {}).once("data", () => socket.write("too late"));
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  await using proxy = await startFaultProxy(port, { kind: "stalled", direction: "to", afterBytes: 3 });
  const silent = connect(proxy.port, "127.0.0.1");
  silent.write("0123456789");
  const [answer] = await once(silent, "data");
  expect(String(answer)).toBe("too late");
  silent.destroy();
  server.close();
});

it("hits as many connections as it is told", async () => {
  await using echo = await startEcho();
  await using proxy = await startFaultProxy(echo.port, { kind: "refused", connections: 1 });
  expect((await exchange(proxy.port, "0123")).end).toBe("ECONNRESET");
  expect((await exchange(proxy.port, "0123")).back).toBe("0123");
});

it.each([
  ["cut", "closed"],
  ["reset", "ECONNRESET"],
] as const)("strikes connections that stand: %s", async (kind, end) => {
  await using echo = await startEcho();
  await using proxy = await startFaultProxy(echo.port, { kind: "stalled", afterBytes: 3 });
  const standing = exchange(proxy.port, "0123456789");
  while (proxy.hits === 0) await new Promise(setImmediate);
  proxy.strike(kind);
  expect((await standing).end).toBe(end);
});
