import { once } from "node:events";
import { type AddressInfo, createServer, type Server, type Socket } from "node:net";
import { afterEach, beforeEach, expect, it } from "vitest";
import { acceptedWithReadBuffer, connectWithReadBuffer, onChunk } from "./read-buffer.ts";

let server: Server;
let accepted: Socket;
let connected: Socket;
beforeEach(async () => {
  server = createServer({ pauseOnConnect: true, noDelay: true });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  connected = connectWithReadBuffer({ host: "127.0.0.1", port: (server.address() as AddressInfo).port });
  const [socket]: Socket[] = await once(server, "connection");
  if (socket === undefined) throw new Error("nobody came");
  accepted = acceptedWithReadBuffer(socket);
});
afterEach(async () => {
  connected.destroy();
  const closed = once(server, "close");
  server.close();
  // A connection that its server still counts would keep it open for ever.
  await closed;
});

/** Both directions behave alike. */
const directions: readonly (readonly [string, () => readonly [Socket, Socket]])[] = [
  ["accepted", () => [connected, accepted]],
  ["opened", () => [accepted, connected]],
];

it.each(directions)("reads everything, in order, into one buffer: a connection that was %s", async (_, sides) => {
  const [sender, receiver] = sides();
  const sent = Buffer.alloc(3_000_000, "0123456789abcdefghijklmnopqrstuvwxyz");
  const chunks: Buffer[] = [];
  const memories = new Set<ArrayBufferLike>();
  onChunk(receiver, (chunk) => {
    memories.add(chunk.buffer);
    chunks.push(Buffer.from(chunk));
  });
  sender.end(sent);
  await once(receiver, "end");
  expect(Buffer.concat(chunks).equals(sent)).toBe(true);
  expect(memories.size).toBe(1);
});

it.each(directions)("leaves a chunk alone while it is paused: a connection that was %s", async (_, sides) => {
  const [sender, receiver] = sides();
  const sent = Buffer.alloc(1_000_000, "the quick brown fox ");
  const chunks: Buffer[] = [];
  onChunk(receiver, (chunk) => {
    receiver.pause();
    setImmediate(() => {
      chunks.push(Buffer.from(chunk));
      receiver.resume();
    });
  });
  sender.end(sent);
  await once(receiver, "end");
  expect(Buffer.concat(chunks).equals(sent)).toBe(true);
});

it("writes, knows its peer, and tells that it was closed", async () => {
  expect(accepted.remoteAddress).toBe("127.0.0.1");
  expect(accepted.remotePort).toBe(connected.localPort);
  const arrived = Promise.withResolvers<string>();
  onChunk(connected, (chunk) => arrived.resolve(chunk.toString()));
  accepted.write("hello");
  expect(await arrived.promise).toBe("hello");
  onChunk(accepted, () => undefined);
  const closed = once(accepted, "close");
  connected.destroy();
  await closed;
});
