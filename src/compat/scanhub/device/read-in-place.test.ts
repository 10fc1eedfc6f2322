import { once } from "node:events";
import { connect, createServer, type Socket } from "node:net";
import { Duplex } from "node:stream";
import { expect, it } from "vitest";
import { freePort } from "../../../../test/peers/free-port.ts";
import { readInPlace } from "./read-in-place.ts";

/** A peer, and the connection that a server accepted of it. */
async function accepted() {
  const server = createServer({ pauseOnConnect: true });
  const port = await freePort();
  server.listen(port, "127.0.0.1");
  await once(server, "listening");
  const peer = connect(port, "127.0.0.1");
  const [socket]: Socket[] = await once(server, "connection");
  if (socket === undefined) throw new Error("nobody connected");
  return { server, peer, socket };
}

it("gives what a peer sends, in order, and nothing while it is paused", async () => {
  const { server, peer, socket } = await accepted();
  const got: Buffer[] = [];
  const { promise: isWhole, resolve } = Promise.withResolvers<void>();
  const sent = Buffer.from(Array.from({ length: 3_000_000 }, (_, index) => (index * 31) & 0xff));
  let sizeBytes = 0;
  let isPaused = true;
  const { connection, isReused } = readInPlace(socket, (bytes) => {
    expect(isPaused).toBe(false);
    got.push(Buffer.from(bytes));
    sizeBytes += bytes.length;
    isPaused = true;
    connection.pause();
    setImmediate(() => {
      isPaused = false;
      connection.resume();
    });
    if (sizeBytes === sent.length) resolve();
  });
  expect(isReused).toBe(true);
  peer.end(sent);
  isPaused = false;
  connection.resume();
  await isWhole;
  expect(Buffer.concat(got).equals(sent)).toBe(true);
  await once(connection, "end");
  connection.end("answer");
  const [answer] = await once(peer, "data");
  expect(String(answer)).toBe("answer");
  const closed = once(server, "close");
  server.close();
  await closed;
});

it("tells that the peer broke off", async () => {
  const { server, peer, socket } = await accepted();
  const { connection } = readInPlace(socket, () => undefined);
  const failed = once(connection, "error");
  connection.resume();
  peer.resetAndDestroy();
  await failed;
  server.close();
});

it("reads what is no plain connection as a stream", async () => {
  const given = new Duplex({ read: () => undefined, write: (_, __, done) => done() });
  const { promise: got, resolve } = Promise.withResolvers<string>();
  const { connection, isReused } = readInPlace(given, (bytes) => resolve(String(bytes)));
  expect(isReused).toBe(false);
  given.push("bytes");
  connection.resume();
  expect(await got).toBe("bytes");
});
