import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { temporaryFolder } from "../../test/support/temporary-folder.ts";
import { manifest } from "../config/manifest.ts";
import { resolveSettings, type Settings } from "../config/settings.ts";
import { PERMIT_LEASE_MS } from "../store/shared-permits.ts";
import { openSqliteStore } from "../store/sqlite/open.ts";
import type { AuditEvent } from "../units/audit.ts";
import { type Logger, silentLogger } from "../units/logger.ts";
import { createManualClock } from "../units/manual-clock.testing.ts";
import { seededRandom } from "../units/random.ts";
import { checkRoles, joinNodes } from "./node.ts";

/** Homes whose gateways share a store. */
async function scene() {
  const stack = new AsyncDisposableStack();
  const folder = stack.use(await temporaryFolder());
  const store = stack.use(await openSqliteStore({ path: join(folder.path, "radferry.db") }));
  const clock = createManualClock();
  const warnings: string[] = [];
  const logger: Logger = { ...silentLogger, warn: (message) => void warnings.push(message) };
  const settingsOf = (home: string, name?: string): Settings =>
    resolveSettings(manifest.parse({ home, store: { kind: "postgres", urlFile: "url" }, node: { name } }), folder.path);
  const join_ = async (home: string, name?: string) => {
    await mkdir(join(folder.path, home), { recursive: true });
    const random = seededRandom(home.length);
    const settings = settingsOf(home, name);
    return await joinNodes({ settings, store, clock, random, logger, version: "1.0.0" });
  };
  return { store, warnings, clock, join: join_, [Symbol.asyncDispose]: () => stack.disposeAsync() };
}

test("a name is one home's: that one may start again at once, another when the name has lapsed", async () => {
  await using at = await scene();
  // It dies: nothing is given back.
  await at.join("home", "north");
  await expect(at.join("another", "north")).rejects.toMatchObject({ code: "NODE_NAME_IN_USE" });
  await using _again = await at.join("home", "north");
  expect(await at.store.listNodes()).toMatchObject([{ name: "north", roles: ["receiver", "worker", "http"] }]);
});

test("a name that nobody gives signs of life under is another's after its time", async () => {
  await using at = await scene();
  const wish = { resource: "node:north", limit: 1, holder: "a home that died", node: "north" };
  await at.store.takePermit(wish, PERMIT_LEASE_MS, 0);
  await expect(at.join("home", "north")).rejects.toMatchObject({ code: "NODE_NAME_IN_USE" });
  await at.clock.advance(PERMIT_LEASE_MS);
  await using _node = await at.join("home", "north");
});

test("the name that the settings leave out is kept in the home", async () => {
  await using at = await scene();
  const first = await at.join("home");
  await first[Symbol.asyncDispose]();
  await using again = await at.join("home");
  await using other = await at.join("another");
  expect(again.name).toBe(first.name);
  expect(other.name).not.toBe(first.name);
});

test("a home that was given up is known when it comes back, and no other is taken for it", async () => {
  await using at = await scene();
  const actor = { name: "sam", kind: "command line", role: "admin" } as const;
  const audit: AuditEvent = { event: "node-forgotten", actor, outcome: "success" };
  const end = async (home: string) => await (await at.join(home, "north"))[Symbol.asyncDispose]();
  await end("home");
  // It is in no list any more, as it ended in order.
  expect(await at.store.giveUpNode("south", audit, at.clock.nowMs())).toBe("unknown");
  expect(await at.store.giveUpNode("north", audit, at.clock.nowMs())).toMatchObject({ studiesLost: 0 });
  await end("another home");
  expect(await at.store.returnNode("north", "some other", at.clock.nowMs())).toBe(false);
  expect(at.warnings).toEqual([]);
  await end("home");
  expect(at.warnings).toEqual(["this gateway was given up, and came back"]);
});

test("who works on what an archive moves has to receive it", () => {
  const archives = [{ name: "pacs", kind: "dimse", address: "PACS@pacs:104", retrieve: "move" }];
  const settingsOf = (roles: readonly string[], retrieve: string): Settings =>
    resolveSettings(
      manifest.parse({ node: { roles }, archives: archives.map((each) => ({ ...each, retrieve })) }),
      "/",
    );
  expect(() => checkRoles(settingsOf(["worker"], "move"))).toThrow();
  checkRoles(settingsOf(["worker", "receiver"], "move"));
  checkRoles(settingsOf(["worker"], "get"));
  checkRoles(settingsOf(["http"], "move"));
});
