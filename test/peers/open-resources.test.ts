import { once } from "node:events";
import { createServer } from "node:net";
import { expect, it } from "vitest";
import { leaksAfterSettling, leaksBeyond, openResources } from "./open-resources.ts";

it("names a server that is still listening, and nothing once it is closed", async () => {
  const baseline = openResources();
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  expect(leaksBeyond(baseline, openResources())).toEqual(["a listening server"]);

  server.close();
  expect(await leaksAfterSettling(baseline)).toEqual([]);
});

it("names a timer that is still running", () => {
  const baseline = openResources();
  const timer = setTimeout(() => undefined, 60_000);
  expect(leaksBeyond(baseline, openResources())).toEqual(["a timer"]);
  clearTimeout(timer);
});

it("leaves alone what was open before, and what does not matter", () => {
  const baseline = openResources(["PipeWrap", "PipeWrap", "TTYWrap"]);
  const now = openResources(["PipeWrap", "PipeWrap", "CloseReq", "TCPSocketWrap", "TCPSocketWrap"]);
  expect(leaksBeyond(baseline, now)).toEqual(["a socket (2 times)"]);
});
