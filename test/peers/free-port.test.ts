import { once } from "node:events";
import { type AddressInfo, createServer } from "node:net";
import { expect, it } from "vitest";
import { freePort } from "./free-port.ts";

it("gives each port once, and none that the system gives out by itself", async () => {
  const ports = await Promise.all(Array.from({ length: 20 }, () => freePort()));
  expect(new Set(ports).size).toBe(ports.length);
  await using server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  expect(Math.max(...ports)).toBeLessThan((server.address() as AddressInfo).port);
});

it("passes over a port that somebody has", async () => {
  const port = await freePort();
  await using server = createServer().listen(port + 1, "127.0.0.1");
  await once(server, "listening");
  expect(await freePort()).not.toBe(port + 1);
});
