import { readdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { expect, it } from "vitest";
import { freePort } from "../peers/free-port.ts";
import { startPracticeArchive } from "../peers/practice-archive.ts";
import { startS3Server } from "../peers/s3-server.ts";
import { syntheticStudy } from "../peers/synthetic-studies.ts";
import { type CountingStore, startCountingStore } from "../support/counting-store.ts";
import { startGate } from "../support/http-gate.ts";
import { makeSite, PROJECT, type Site, type VerbResult } from "../support/site.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";

const study = syntheticStudy({ seed: 77, modality: "MR", series: 1, instancesPerSeries: 3, rows: 16, columns: 16 });

/** A site whose copies go through a gate to a bucket, and whose viewer takes nothing before it is told to. */
async function openScene(decide: (method: string, path: string) => "pass" | "hold" | "cut") {
  await using opened = new AsyncDisposableStack();
  const { path: folder } = opened.use(await temporaryFolder());
  const bucket = opened.use(await startS3Server());
  const gate = opened.use(await startGate(bucket.port, decide));
  const dicomPort = await freePort();
  const archive = opened.use(
    await startPracticeArchive({ studies: [study], destinations: [`RADFERRY@127.0.0.1:${dicomPort}`] }),
  );
  const asked = Promise.withResolvers<void>();
  const ready = Promise.withResolvers<void>();
  const isReady = (): Promise<void> => {
    asked.resolve();
    return ready.promise;
  };
  const viewer = opened.use(await startCountingStore(0, "VIEWER", isReady));
  const secretAccessKeyFile = join(folder, "secret");
  await writeFile(secretAccessKeyFile, `${bucket.secretAccessKey}\n`, { mode: 0o600 });
  const { accessKeyId } = bucket;
  const shared = { kind: "s3", endpoint: gate.endpoint, bucket: bucket.bucket, accessKeyId, secretAccessKeyFile };
  const site = opened.use(
    await makeSite({
      dicomPort,
      archives: [{ name: "practice", address: archive.address, retrieve: "move" }],
      moreDestinations: [{ name: "viewer", kind: "dimse", address: viewer.address, confirm: "find" }],
      staging: { shared },
    }),
  );
  const closing = opened.move();
  return {
    ...{ site, viewer, gate, bucket, viewerAsked: asked.promise, letViewerTake: ready.resolve },
    timesAsked: () => archive.timesAsked.get(study.studyInstanceUid),
    [Symbol.asyncDispose]: () => closing.disposeAsync(),
  };
}

async function submit(site: Site): Promise<string> {
  const file = await site.write("wanted.csv", `study_instance_uid\n${study.studyInstanceUid}\n`);
  return String((await site.run("cohort", "submit", file, "--project", PROJECT)).document.cohort);
}

/** As on another machine: the database is there, the disk of who died is not. */
async function loseDisk({ home }: Site): Promise<void> {
  for (const name of ["staging", "outbox"]) await rm(join(home, name), { recursive: true, force: true });
}

async function untilDone(site: Site, { objects }: CountingStore, cohort: string): Promise<void> {
  for (let look = 0; look < 400; look += 1) {
    const isThere = objects.size === study.instances.length;
    const { document }: Pick<VerbResult, "document"> = isThere
      ? await site.run("cohort", "status", cohort)
      : { document: {} };
    if (document.done === true) return expect(document).toMatchObject({ states: { delivered: 1 } });
    await delay(100);
  }
  throw new Error("the cohort was not done in time");
}

it("delivers after SIGKILL without the archive, from copies that the dead process shared", async () => {
  await using scene = await openScene(() => "pass");
  const { site, viewer, bucket } = scene;
  const doctor = (await site.run("doctor")).document;
  expect(doctor.checks).toContainEqual(
    expect.objectContaining({ check: expect.stringContaining("the shared store takes"), ok: true }),
  );
  // It asked for one instance, to see whether it may.
  const before = scene.timesAsked() ?? 0;
  const cohort = await submit(site);
  {
    await using service = await site.serve();
    await scene.viewerAsked;
    await service.kill();
  }
  await loseDisk(site);
  scene.letViewerTake();
  await using _service = await site.serve();
  await untilDone(site, viewer, cohort);
  expect(scene.timesAsked()).toBe(before + 1);
  expect((await readdir(bucket.folder, { recursive: true })).filter((name) => name.includes("manifest"))).toEqual([]);
}, 120_000);

it("asks the archive again after SIGKILL between the copies and their manifest", async () => {
  let isFirst = true;
  await using scene = await openScene((method, path) => {
    const isHeld = isFirst && method === "PUT" && path.includes("manifest.json");
    if (isHeld) isFirst = false;
    return isHeld ? "hold" : "pass";
  });
  const { site, viewer } = scene;
  scene.letViewerTake();
  const cohort = await submit(site);
  {
    await using service = await site.serve();
    await scene.gate.held;
    await service.kill();
  }
  await loseDisk(site);
  await using _service = await site.serve();
  await untilDone(site, viewer, cohort);
  expect(scene.timesAsked()).toBe(2);
}, 120_000);
