import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { isServed, lockFile, lockHome } from "./home-lock.ts";

let home = "";
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), "radferry-lock-"));
});
afterEach(() => rmSync(home, { recursive: true }));

it("lets one work on a home at a time", () => {
  {
    using _first = lockHome(home);
    expect(() => lockHome(home)).toThrow(expect.objectContaining({ code: "HOME_IN_USE" }));
  }
  using _next = lockHome(home);
});

it("says that a home cannot be written, such as one of another user: it is no case that nobody foresaw", () => {
  // What keeps root from writing too.
  mkdirSync(lockFile(home));
  expect(() => lockHome(home)).toThrow(expect.objectContaining({ code: "STORE_UNAVAILABLE" }));
  expect(() => isServed(home)).toThrow(expect.objectContaining({ code: "STORE_UNAVAILABLE" }));
});
