import { once } from "node:events";
import { connect } from "node:net";
import { expect, it } from "vitest";
import { silentLogger } from "../../units/logger.ts";
import { type FaceServerOptions, startFaceServer } from "./server.ts";

const FACE: FaceServerOptions<object> = {
  ...{ name: "face", title: "Face", version: "1", host: "127.0.0.1", port: 0, portCode: "FLIP_PORT_IN_USE" },
  ...{ routes: [], schemas: {}, context: () => ({}), showsPages: false, needsJsonType: false },
  ...{ maximumBodyBytes: 1_000_000, refusalOf: () => undefined, logger: silentLogger },
};

it("answers what leads nowhere before it reads what comes with it, which nobody's key was asked for", async () => {
  await using server = await startFaceServer(FACE);
  const socket = connect(server.port, "127.0.0.1");
  socket.write("POST /nowhere HTTP/1.1\r\nHost: face\r\nContent-Length: 1000000\r\n\r\n[");
  const [answer] = await once(socket, "data");
  expect(String(answer)).toMatch(/^HTTP\/1\.1 404 /);
  socket.destroy();
});

it("cuts off who drips headers byte by byte", async () => {
  await using server = await startFaceServer({
    ...FACE,
    limits: { headersTimeout: 100, requestTimeout: 200, connectionsCheckingInterval: 10 },
  });
  const slow = connect(server.port, "127.0.0.1");
  slow.on("error", () => {}).resume();
  slow.write("GET /health HTTP/1.1\r\nX-Slow: ");
  const dripping = setInterval(() => slow.write("a"), 10);
  // Where it is cut off while it writes, an error comes before the end.
  await new Promise((resolve) => slow.once("close", resolve));
  clearInterval(dripping);
  expect(slow.destroyed).toBe(true);
});
