import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { createTokenBuckets } from "../src/compat/pixl/intake/token-buckets.ts";
import { openProcessing } from "../src/compat/pixl/processing/processing.ts";
import { startWorker } from "../src/compat/pixl/processing/worker.ts";
import { readPixlSettings } from "../src/compat/pixl/settings.ts";
import type { HttpRequest } from "../src/network/http-client/types.ts";
import { openSqliteStore } from "../src/store/sqlite/open.ts";
import { systemClock } from "../src/units/clock.ts";

/**
 * `pixl-main.ts FILE`: works off the messages of a JSON file, `{environment, messages}`, as the imaging API does, from the store to the
 * hand-over; prints how long it took, how many were handed over, and how often orthanc-raw was asked.
 */
const [file = ""] = process.argv.slice(2);
const work: { readonly environment: Record<string, string>; readonly messages: readonly string[] } = JSON.parse(
  await readFile(file, "utf8"),
);

const RATE = 1_000_000;
await using store = await openSqliteStore({ path: join(process.cwd(), "store.sqlite") });
await using processing = openProcessing(readPixlSettings(work.environment), { store });
const { raw } = processing;
const request = raw.request;
let requests = 0;
raw.request = (asked: HttpRequest) => {
  requests += 1;
  return request(asked);
};
const add = (queue: string, body: Uint8Array) =>
  store.addInboxMessage({ queue, body, priority: 1 }, systemClock.nowMs());
const done = Promise.withResolvers<void>();
let [settled, handedOver] = [0, 0];
const buckets = createTokenBuckets(systemClock, RATE);
await using worker = await startWorker({
  ...{ store, buckets, processing },
  broker: {
    publish: async ({ queue, body }) => {
      await add(queue, body);
      settled -= 1;
      worker.wake();
    },
  },
  onSettled: () => {
    settled += 1;
    if (settled === work.messages.length) done.resolve();
  },
});
const startedAtMs = performance.now();
for (const message of work.messages) await add("imaging-primary", Buffer.from(message));
worker.wake();
await done.promise;
const seconds = (performance.now() - startedAtMs) / 1_000;
for (const queue of ["imaging-primary", "imaging-secondary"]) {
  const list = await store.listInboxMessages({ queue, state: "done", limit: 10_000 });
  handedOver += list.filter(({ progress }) => progress?.includes("handed-over")).length;
}
process.stdout.write(`${JSON.stringify({ seconds, handedOver, requests })}\n`);
