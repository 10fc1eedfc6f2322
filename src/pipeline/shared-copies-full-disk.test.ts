import { dirname } from "node:path";
import { expect, it } from "vitest";
import { startS3Server } from "../../test/peers/s3-server.ts";
import { mountSmallDisk } from "../../test/support/small-disk.ts";
import type { Destination } from "../delivery/destination.ts";
import { LEASE_MS } from "./keep-lease.ts";
import { openScene } from "./shared-copies.testing.ts";

const [SMALL_KILOBYTES, ROOMY_KILOBYTES] = [8, 10_000];

/** The first node is stopped when it is about to send. */
function stoppedBy(stop: AbortController) {
  return (destination: Destination): Destination => ({
    ...destination,
    send(_delivery, _files, signal) {
      stop.abort();
      return Promise.reject(signal.reason);
    },
  });
}

it("waits for room where copies of another node are fetched to, and blames the disk for it, not the bucket", async ({
  skip,
}) => {
  await using bucket = await startS3Server();
  await using scene = await openScene({ bucket, prefix: "full" });
  const stop = new AbortController();
  await (await scene.node("first", stoppedBy(stop))).work(stop.signal);
  expect(await scene.job()).toMatchObject({ state: "running", stage: "delivering" });
  scene.pass(LEASE_MS + 1);
  const second = await scene.node("second");
  using disk = mountSmallDisk(SMALL_KILOBYTES, dirname(second.services.outbox.folderOf("any")));
  if (disk === undefined) return skip();
  expect(await second.work()).toMatchObject({ state: "waiting", code: "OUTBOX_FULL" });
  expect(scene.metrics.get("shared_staging_failures_total get")).toBeUndefined();
  disk.resize(ROOMY_KILOBYTES);
  scene.pass(3_600_000);
  expect(await second.work()).toMatchObject({ state: "delivered", delivered: 4 });
  expect(scene.timesAsked()).toBe(1);
});
