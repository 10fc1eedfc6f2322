import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { temporaryFolder } from "../../../test/support/temporary-folder.ts";
import { GatewayError } from "../../errors/gateway-error.ts";
import { openSqliteStore } from "../../store/sqlite/open.ts";
import type { Store } from "../../store/store.ts";
import { neverAborted } from "../../units/abort.ts";
import { silentLogger } from "../../units/logger.ts";
import { createManualClock, type ManualClock } from "../../units/manual-clock.testing.ts";
import type { Channel, ChannelMessage, Notice } from "../../units/notifications.ts";
import { createMetrics, type KeptMetrics } from "../metrics.ts";
import { createOutbox, type Tell } from "./outbox.ts";
import { createSender, type Sender } from "./send-notices.ts";
import { USUAL_TEMPLATES } from "./usual-templates.ts";

const HOUR_MS = 3_600_000;
const DOWN: Notice = { event: "archive-down", atMs: 0, facts: { archive: "vna", code: "CONNECTION_FAILED" } };
const failed = (job: string): Notice => ({
  event: "study-failed",
  atMs: 0,
  project: "lung",
  facts: { job, project: "lung", code: "STAGING_FULL" },
});

let opened: AsyncDisposableStack;
let store: Store;
let clock: ManualClock;
let metrics: KeptMetrics;
let tell: Tell;
let sender: Sender;
let told: ChannelMessage[];
/** What the channel answers next; it takes what comes when there is none. */
let answers: unknown[];

beforeEach(async () => {
  opened = new AsyncDisposableStack();
  const { path } = opened.use(await temporaryFolder());
  store = opened.use(await openSqliteStore({ path: join(path, "radferry.db") }));
  clock = createManualClock(10 * HOUR_MS);
  metrics = createMetrics();
  told = [];
  answers = [];
  const channel: Channel = {
    name: "operators",
    kind: "mail",
    check: () => Promise.resolve(),
    send(message) {
      const answer = answers.shift();
      if (answer !== undefined) return Promise.reject(answer);
      told.push(message);
      return Promise.resolve();
    },
  };
  const parts = { store, clock, metrics, logger: silentLogger };
  const events = ["archive-down", "study-failed"] as const;
  const delivery = { channel: "operators", events, projects: ["lung"], digestMs: HOUR_MS };
  tell = createOutbox({ ...parts, deliveries: [delivery] });
  sender = createSender({ channel, templates: USUAL_TEMPLATES, digestMs: HOUR_MS }, parts);
});
afterEach(() => opened.disposeAsync());

const look = () => sender.sendDue(neverAborted());
const counted = async (outcome: string): Promise<number> => {
  const { text } = await metrics.text();
  const line = new RegExp(`notifications_total\\{channel="operators",outcome="${outcome}"\\} (\\d+)`).exec(text);
  return Number(line?.[1] ?? 0);
};

it("tells at once what cannot wait, and collects what can", async () => {
  await tell([DOWN, failed("job-1"), failed("job-2")], []);
  await look();
  expect(told).toMatchObject([{ event: "archive-down", subject: "Radferry: archive vna does not answer" }]);
  await clock.advance(HOUR_MS - 1);
  await look();
  expect(told).toHaveLength(1);
  await clock.advance(1);
  await look();
  expect(told[1]).toMatchObject({ event: "digest", count: 2 });
  await look();
  expect(told).toHaveLength(2);
  expect(await counted("sent")).toBe(2);
});

it("tells a channel only what it is for", async () => {
  await tell(
    [
      { ...failed("job-1"), project: "heart" },
      { event: "archive-back", atMs: 0, facts: { archive: "vna" } },
    ],
    [],
  );
  expect(await store.noticeQueues()).toEqual([]);
});

it("rests longer after each failure, tells all that came meanwhile together, and then rests no more", async () => {
  answers = [new GatewayError("SMTP_UNAVAILABLE"), new GatewayError("SMTP_REFUSED")];
  await tell([DOWN], []);
  await look();
  await tell([DOWN], []);
  await clock.advance(4_999);
  await look();
  expect(answers).toHaveLength(1);
  await clock.advance(1);
  await look();
  expect(answers).toHaveLength(0);
  await clock.advance(9_999);
  await look();
  expect(told).toEqual([]);
  await clock.advance(1);
  await look();
  expect(told).toMatchObject([{ event: "digest", count: 2 }]);
  await tell([DOWN], []);
  await look();
  expect(told).toHaveLength(2);
  expect([await counted("transient"), await counted("permanent"), await counted("sent")]).toEqual([1, 1, 2]);
});

it("rests as long as the other side asks for", async () => {
  answers = [new GatewayError("HTTP_TOO_MANY_REQUESTS", { retryAfterMs: 60_000 })];
  await tell([DOWN], []);
  await look();
  await clock.advance(59_999);
  await look();
  expect(told).toEqual([]);
  await clock.advance(1);
  await look();
  expect(told).toHaveLength(1);
});

it("rests a quarter of an hour at most, whatever the other side asks for", async () => {
  answers = [new GatewayError("HTTP_TOO_MANY_REQUESTS", { retryAfterMs: 24 * HOUR_MS })];
  await tell([DOWN], []);
  await look();
  await clock.advance(HOUR_MS / 4);
  await look();
  expect(told).toHaveLength(1);
});

it("rests no longer than at first when something was sent meanwhile", async () => {
  answers = [new GatewayError("SMTP_UNAVAILABLE"), undefined, new GatewayError("SMTP_UNAVAILABLE")];
  for (const sent of [0, 1, 1, 2]) {
    await tell([DOWN], []);
    await look();
    expect(told).toHaveLength(sent);
    await clock.advance(5_000);
  }
});

it("sends no more than twenty messages in an interval: the others wait for its end, and are one", async () => {
  for (let turn = 0; turn < 30; turn += 1) {
    await tell([DOWN], []);
    await look();
  }
  expect(told).toHaveLength(20);
  await clock.advance(HOUR_MS);
  await look();
  expect(told).toHaveLength(21);
  expect(told[20]).toMatchObject({ event: "digest", count: 10 });
});

it("keeps five thousand, and tells how many more there were", async () => {
  await tell(
    Array.from({ length: 5_003 }, (_, index) => failed(`job-${index}`)),
    [],
  );
  await clock.advance(HOUR_MS);
  await look();
  expect(told).toMatchObject([{ event: "digest", count: 5_003 }]);
  expect(told[0]?.text).toContain("3 more, of which nothing was kept");
  expect(await counted("dropped")).toBe(3);
  expect(await store.noticeQueues()).toEqual([]);
  await tell([DOWN], []);
  await look();
  expect(told[1]).toMatchObject({ event: "archive-down", count: 1 });
});

it("tells again what a process was telling when it died", async () => {
  await tell([DOWN], []);
  await store.claimNotices("operators", { leaseMs: HOUR_MS, limit: 10 }, clock.nowMs());
  await look();
  expect(told).toEqual([]);
  await store.releaseNotices();
  await look();
  expect(told).toHaveLength(1);
});

it("passes over what another version wrote", async () => {
  const strange = { channel: "operators", body: '{"event":"nothing"}', dueAtMs: 0 };
  await store.addNotices({ notices: [strange], marks: [], maximumWaiting: 9 }, 0);
  await look();
  expect(told).toEqual([]);
  expect(await store.noticeQueues()).toEqual([]);
});

it("sends with its last try what it was stopped in the middle of", async () => {
  await tell([DOWN], []);
  const stop = new AbortController();
  const channel: Channel = {
    name: "operators",
    kind: "mail",
    check: () => Promise.resolve(),
    async send(message, signal) {
      if (stop.signal.aborted) return void told.push(message);
      stop.abort();
      signal.throwIfAborted();
    },
  };
  const parts = { store, clock, metrics, logger: silentLogger };
  const stopped = createSender({ channel, templates: USUAL_TEMPLATES, digestMs: HOUR_MS }, parts);
  await stopped.sendDue(stop.signal);
  expect(told).toEqual([]);
  await stopped.sendDue(neverAborted());
  expect(told).toMatchObject([{ event: "archive-down" }]);
});
