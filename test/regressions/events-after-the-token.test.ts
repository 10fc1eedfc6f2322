import { expect, it } from "vitest";
import { systemClock } from "../../src/units/clock.ts";
import { openApiSite } from "../support/api.ts";
import { followEvents } from "../support/event-stream.ts";

it("tells no more of studies to whose token was revoked while he followed", async () => {
  let aheadMs = 0;
  await using site = await openApiSite({ clock: { ...systemClock, nowMs: () => Date.now() + aheadMs } });
  const token = await site.tokenOf("short", "viewer");
  await using events = await followEvents(site.url, token);
  await events.until(({ event }) => event === "overview");
  expect((await site.call("DELETE", "/tokens/short")).json).toMatchObject({ state: "revoked" });
  aheadMs = 60_000;
  await expect(events.until(() => false)).rejects.toThrow(/^ended before it came/);
});
