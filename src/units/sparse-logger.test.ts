import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { type LogFields, type Logger, silentLogger } from "./logger.ts";
import { createSparseLogger } from "./sparse-logger.ts";

let lines: (readonly [string, LogFields])[];
const line = (event: string, fields: LogFields = {}): void => void lines.push([event, fields]);
const logger: Logger = { ...silentLogger, debug: line, info: line, warn: line };
beforeEach(() => {
  lines = [];
});
afterEach(() => vi.useRealTimers());

it("tells what a host does at once, and what it does again once a minute", () => {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
  using sparse = createSparseLogger(logger);
  const knock = (remoteHost: string): void => sparse.info("knock", { code: "X", remoteHost });
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
    using sparse = createSparseLogger(logger);
    for (let host = 0; host < 5_000; host += 1) sparse.warn("knock", { remoteHost: `host${host}` });
  }
  expect(lines).toHaveLength(1_002);
  expect(lines.slice(1_000)).toEqual([
    ["knock", {}],
    ["knock", { count: 3_999 }],
  ]);
});

it("thins no lines for debugging", () => {
  using sparse = createSparseLogger(logger);
  for (let time = 0; time < 3; time += 1) sparse.debug("looked");
  expect(lines).toHaveLength(3);
});
