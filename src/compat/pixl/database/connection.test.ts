import { once } from "node:events";
import { createServer, type Server, type Socket } from "node:net";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { openDatabase } from "./connection.ts";

/** AuthenticationOk, ReadyForQuery. https://www.postgresql.org/docs/15/protocol-message-formats.html */
const WELCOME = Buffer.from("52000000080000000" + "0" + "5a0000000549", "hex");

/** Lets everybody in, and says nothing ever after. */
let server: Server;
const sockets: Socket[] = [];
beforeEach(async () => {
  server = createServer((socket) => {
    sockets.push(socket.on("error", () => undefined));
    socket.once("data", () => socket.write(WELCOME));
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
});
afterEach(() => {
  for (const socket of sockets.splice(0)) socket.destroy();
  server.close();
});

it("does not wait for ever for a server that is gone in the middle of a statement", async () => {
  const address = server.address();
  const port = typeof address === "object" ? (address?.port ?? 0) : 0;
  const options = { host: "127.0.0.1", port, database: "d", user: "u", password: "" };
  const database = await openDatabase(options);
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
  try {
    const ended = vi.fn<(thrown: unknown) => void>();
    void database.transaction(() => database.query("SELECT 1")).catch(ended);
    await vi.advanceTimersByTimeAsync(400_000);
    expect(ended).toHaveBeenCalledWith(expect.objectContaining({ code: "PIXL_DATABASE_UNAVAILABLE" }));
  } finally {
    vi.useRealTimers();
  }
  await database[Symbol.asyncDispose]();
});
