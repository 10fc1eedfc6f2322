import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { playScript } from "../../../test/peers/scripted-peer.ts";
import type { LogFields, Logger } from "../../units/logger.ts";
import { silentLogger } from "../../units/logger.ts";
import { createSparseLog } from "./sparse-log.ts";
import { serve } from "./testing/pair.ts";

let lines: (readonly [string, LogFields])[];
const line = (event: string, fields: LogFields = {}): void => void lines.push([event, fields]);
const logger: Logger = { ...silentLogger, info: line, warn: line };
beforeEach(() => {
  lines = [];
});
afterEach(() => vi.useRealTimers());

it("tells what a host does at once, and what it does again once a minute", () => {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
  using log = createSparseLog(logger);
  const knock = (remoteHost: string): void => log.tell("info", "knock", { code: "X", remoteHost });
  for (const host of ["a", "a", "b", "a"]) knock(host);
  expect(lines.map(([, { remoteHost }]) => remoteHost)).toEqual(["a", "b"]);
  vi.advanceTimersByTime(60_000);
  expect(lines.slice(2)).toEqual([["knock", { code: "X", remoteHost: "a", count: 2 }]]);
  knock("b");
  knock("a");
  vi.advanceTimersByTime(60_000);
  expect(lines.slice(3).map(([, fields]) => fields)).toEqual([
    { code: "X", remoteHost: "b" },
    { code: "X", remoteHost: "a", count: 1 },
  ]);
});

it("counts together what comes from more hosts than it remembers", () => {
  {
    using log = createSparseLog(logger);
    for (let host = 0; host < 5_000; host += 1) log.tell("info", "knock", { remoteHost: `host${host}` });
  }
  expect(lines).toHaveLength(1_002);
  expect(lines.slice(1_000)).toEqual([
    ["knock", {}],
    ["knock", { count: 3_999 }],
  ]);
});

it("a listener writes one line for what is no DICOM, however often it comes from there", async () => {
  const counted: string[] = [];
  {
    await using server = await serve({
      logger,
      onViolation: (violation) => void counted.push(violation),
      timeouts: { artimTimeoutMs: 50 },
    });
    for (let count = 0; count < 3; count += 1)
      await playScript(server.port, [{ send: Buffer.from("GET / HTTP/1.1\r\n\r\n") }, { expectEnd: true }]);
  }
  const told = { violation: "PDU_TYPE_UNKNOWN", remoteHost: "127.0.0.1" };
  expect(lines).toEqual([
    ["the peer broke the protocol", told],
    ["the peer broke the protocol", { ...told, count: 2 }],
  ]);
  expect(counted).toHaveLength(3);
});
