import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { type S3Peer, startS3Server } from "../../test/peers/s3-server.ts";
import { startGate } from "../../test/support/http-gate.ts";
import type { Destination } from "../delivery/destination.ts";
import { GatewayError } from "../errors/gateway-error.ts";
import { neverAborted } from "../units/abort.ts";
import { LEASE_MS } from "./keep-lease.ts";
import type { PipelineServices } from "./services.ts";
import { openScene, type SharedScene } from "./shared-copies.testing.ts";
import { forgetSharedWhenDone, sweepSharedOutbox } from "./shared-copies.ts";

let bucket: S3Peer;
beforeAll(async () => {
  bucket = await startS3Server();
});
afterAll(() => bucket[Symbol.asyncDispose]());

const WAIT_MS = 20_000;

/** Takes nothing, and says when it was asked to. */
function hanging() {
  const { promise: asked, resolve } = Promise.withResolvers<void>();
  const never = (_: unknown, __: unknown, signal: AbortSignal): Promise<never> =>
    new Promise((_resolve, reject) => {
      resolve();
      signal.addEventListener("abort", () => reject(signal.reason), { once: true });
    });
  return { asked, instead: (destination: Destination): Destination => ({ ...destination, send: never }) };
}

/** The first node made the study ready and dies while it delivers; its lease ends. */
async function dieDelivering(scene: SharedScene): Promise<void> {
  const { asked, instead } = hanging();
  const node = await scene.node("first", instead);
  const stop = new AbortController();
  const working = node.work(stop.signal);
  await asked;
  stop.abort();
  await working;
  expect(await scene.job()).toMatchObject({ state: "running", stage: "delivering" });
  scene.pass(LEASE_MS + 1);
}

it("has another node deliver what one made ready and left, without asking the archive again", async () => {
  const hook = 'echo "4 images" > "$2/files/counts.txt"';
  await using scene = await openScene({ bucket, prefix: "takeover", hook: `mkdir -p "$2/files"; ${hook}` });
  await dieDelivering(scene);
  const kept = await scene.objects();
  expect([...kept.keys()].filter((name) => name.includes("manifest.json")).length).toBeGreaterThan(0);
  const second = await scene.node("second");
  expect(await second.work()).toMatchObject({ state: "delivered", delivered: 4 });
  expect(scene.timesAsked()).toBe(1);
  expect(await scene.events()).toContain("taken up from the shared store");
  const delivered = await scene.delivered();
  expect(delivered.filter((name) => name.endsWith(".dcm"))).toHaveLength(4);
  expect(delivered.filter((name) => name.endsWith("counts.txt"))).toHaveLength(1);
  expect((await scene.objects()).size).toBe(0);
  const bytes = (direction: string) => scene.metrics.get(`shared_staging_bytes_total ${direction}`) ?? 0;
  expect(bytes("put")).toBeGreaterThan(0);
  expect(bytes("fetched")).toBe(bytes("put"));
});

it("puts nothing into the bucket that tells who the patient is, in names, contents or facts", async () => {
  await using scene = await openScene({ bucket, prefix: "nobody" });
  await dieDelivering(scene);
  const objects = [...(await scene.objects())];
  expect(objects.length).toBeGreaterThan(4);
  const { study } = scene;
  const originals = study.instances.flatMap(({ sopInstanceUid, seriesInstanceUid }) => [
    sopInstanceUid,
    seriesInstanceUid,
  ]);
  for (const planted of [...study.identifiers, study.studyInstanceUid, ...originals])
    for (const [name, content] of objects)
      expect([name.includes(planted), content.includes(planted)]).toEqual([false, false]);
});

it.each([
  ["an image", (name: string) => /\/[0-9a-f]{64}[^/]*_object$/.test(name), "X"],
  [
    "the manifest",
    (name: string) => /manifest\.json[^/]*_object$/.test(name),
    '{"version":1,"instances":[],"attached":[]}',
  ],
] as const)("fetches the study again when %s was damaged in the bucket", async (_, isIt, damage) => {
  await using scene = await openScene({ bucket, prefix: "damaged" });
  await dieDelivering(scene);
  const [victim = ""] = [...(await scene.objects()).keys()].filter((name) => isIt(`/${name}`));
  const before = (await scene.objects()).get(victim) ?? Buffer.alloc(0);
  const after =
    damage.length === 1 ? Buffer.concat([before.subarray(0, -1), Buffer.from(damage)]) : Buffer.from(damage);
  await writeFile(join(scene.bucketFolder, victim), after);
  const second = await scene.node("second");
  expect(await second.work()).toMatchObject({ state: "delivered", delivered: 4 });
  expect(scene.timesAsked()).toBe(2);
  expect(await scene.events()).toContain("shared copy cannot be used");
  expect((await scene.objects()).size).toBe(0);
});

it("fetches the study again when a node died before the manifest was put", async () => {
  let isFirst = true;
  await using gate = await startGate(bucket.port, (method, path) => {
    const isHeld = isFirst && method === "PUT" && path.includes("manifest.json");
    if (isHeld) isFirst = false;
    return isHeld ? "hold" : "pass";
  });
  await using scene = await openScene({ bucket, prefix: "half", endpoint: gate.endpoint });
  const stop = new AbortController();
  const working = (await scene.node("first")).work(stop.signal);
  await gate.held;
  stop.abort();
  await working;
  expect(await scene.job()).toMatchObject({ state: "running", stage: "deidentifying" });
  expect((await scene.objects()).size).toBeGreaterThan(0);
  scene.pass(LEASE_MS + 1);
  const second = await scene.node("second");
  expect(await second.work()).toMatchObject({ state: "delivered" });
  expect(scene.timesAsked()).toBe(2);
});

it("delivers from its own disk where the shared store breaks off in the middle", async () => {
  let puts = 0;
  await using gate = await startGate(bucket.port, (method) => {
    puts += Number(method === "PUT");
    return puts > 2 ? "cut" : "pass";
  });
  await using scene = await openScene({ bucket, prefix: "cut", endpoint: gate.endpoint });
  expect(await (await scene.node("first")).work()).toMatchObject({ state: "delivered", delivered: 4 });
  expect(scene.timesAsked()).toBe(1);
  expect(await scene.events()).toContain("not kept in the shared store");
});

it("waits for a shared store that is down, goes on when it is back, and makes the study anew when it stays away", async () => {
  let isDown = false;
  await using gate = await startGate(bucket.port, () => (isDown ? "cut" : "pass"));
  for (const comesBack of [true, false]) {
    isDown = false;
    await using scene = await openScene({ bucket, prefix: `down-${comesBack}`, endpoint: gate.endpoint });
    await dieDelivering(scene);
    isDown = true;
    const second = await scene.node("second");
    const waiting = { state: "waiting", stage: "delivering", code: "SHARED_STAGING_UNAVAILABLE", attempts: 0 };
    expect(await second.work()).toMatchObject(waiting);
    expect(scene.timesAsked()).toBe(1);
    isDown = !comesBack;
    scene.pass(comesBack ? WAIT_MS : 1_000_000);
    expect(await second.work()).toMatchObject({ state: "delivered" });
    expect(scene.timesAsked()).toBe(comesBack ? 1 : 2);
  }
});

it("removes what is kept of a study that is cancelled while it is delivered", async () => {
  await using scene = await openScene({ bucket, prefix: "cancelled" });
  const { asked, instead } = hanging();
  const working = (await scene.node("first", instead)).work();
  await asked;
  expect((await scene.objects()).size).toBeGreaterThan(0);
  const { id } = await scene.job();
  await scene.store.cancelJobs({ job: id }, 1_000_000);
  expect(await working).toMatchObject({ state: "cancelled" });
  expect((await scene.objects()).size).toBe(0);
});

it("sweeps what jobs left that are done or gone, and touches nothing of others", async () => {
  await using scene = await openScene({ bucket, prefix: "sweep" });
  await dieDelivering(scene);
  const { store, shared: sharedOutbox } = scene;
  const sweep = () => sweepSharedOutbox({ store, sharedOutbox }, neverAborted());
  await mkdir(join(scene.bucketFolder, "notes"), { recursive: true });
  await writeFile(join(scene.bucketFolder, "notes", "readme.txt"), "of somebody else");
  await sharedOutbox.put("job-gone", { instances: [], attached: [] }, () => "", neverAborted());
  expect(await sweep()).toBe(1);
  const { id } = await scene.job();
  expect(await sharedOutbox.jobs(neverAborted())).toEqual([id]);
  await store.cancelJobs({ job: id }, 1_000_000);
  expect(await sweep()).toBe(1);
  expect(await sharedOutbox.jobs(neverAborted())).toEqual([]);
  expect([...(await scene.objects()).keys()]).toEqual(["notes/readme.txt"]);
});

it("leaves copies for the sweep when the store cannot tell whether they are needed: the next job waits for nothing", async () => {
  const lines: unknown[] = [];
  const note = (...line: unknown[]): void => void lines.push(line);
  const services = {
    logger: { debug: note, info: note, warn: note, error: note },
    sharedOutbox: { remove: () => Promise.reject(new Error("must not be asked")) },
    store: { job: () => Promise.reject(new GatewayError("STORE_UNAVAILABLE")) },
  };
  await forgetSharedWhenDone(services as unknown as PipelineServices, "job-1");
  expect(lines).toEqual([["shared copy not removed yet", { job: "job-1", code: "STORE_UNAVAILABLE" }]]);
});
