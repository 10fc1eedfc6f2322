import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { expect, it } from "vitest";
import { temporaryFolder } from "../../../test/support/temporary-folder.ts";
import { openSqliteStore } from "../../store/sqlite/open.ts";
import type { Store } from "../../store/store.ts";
import { systemClock } from "../../units/clock.ts";
import { silentLogger } from "../../units/logger.ts";
import type { Channel, ChannelMessage } from "../../units/notifications.ts";
import { createMetrics } from "../metrics.ts";
import { startNotifier } from "./notifier.ts";
import { USUAL_TEMPLATES } from "./usual-templates.ts";

const actor = { name: "sam", kind: "command line", role: "admin" } as const;
const record = (store: Store) => store.appendAudit({ event: "settings-reloaded", actor, outcome: "success" }, 0);

/** Whoever wants to know of a broken audit trail, and the first that is said. */
async function toldFirst(store: Store): Promise<ChannelMessage> {
  const first = Promise.withResolvers<ChannelMessage>();
  const channel: Channel = {
    name: "board",
    kind: "webhook",
    check: () => Promise.resolve(),
    send: async (message) => first.resolve(message),
  };
  const events = ["audit-trail-broken"] as const;
  const sending = { channel, templates: USUAL_TEMPLATES, digestMs: 1, subscription: { channel: "board", events } };
  const notifier = await startNotifier({
    channels: [sending],
    store,
    clock: systemClock,
    metrics: createMetrics(),
    logger: silentLogger,
    version: "1.2.3",
    node: "gateway",
    archives: () => [],
    freeBytes: async () => 1,
    reserveBytes: 0,
  });
  await using _ = notifier;
  return await first.promise;
}

it("tells that the audit trail is broken, and with which code to look for help", async () => {
  await using folder = await temporaryFolder();
  const path = join(folder.path, "radferry.db");
  await using store = await openSqliteStore({ path });
  for (let count = 0; count < 3; count += 1) await record(store);
  {
    using database = new DatabaseSync(path);
    database.exec("DROP TRIGGER audit_event_removed; DELETE FROM audit_events WHERE number = 2");
  }
  expect(await toldFirst(store)).toMatchObject({
    event: "audit-trail-broken",
    notices: [{ facts: { records: 3, findings: 1, code: "AUDIT_TRAIL_BROKEN" } }],
  });
});
