import { createHash } from "node:crypto";
import { readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, it } from "vitest";
import { temporaryFolder } from "../../test/support/temporary-folder.ts";
import { GatewayError } from "../errors/gateway-error.ts";
import type { ObjectStore } from "../network/s3/s3-client.ts";
import { neverAborted } from "../units/abort.ts";
import { createManualClock } from "../units/manual-clock.testing.ts";
import { createSharedOutbox, type KeptFile } from "./shared-outbox.ts";

const signal = neverAborted();
const damaged = expect.objectContaining({ code: "SHARED_COPY_DAMAGED" });
const BEFORE = "copies/job-1";

/** A store in memory; `log` is what was put and removed. */
function createStore() {
  const objects = new Map<string, Buffer>();
  const versions: { readonly key: string; readonly versionId: string }[] = [];
  const log: string[] = [];
  const store: ObjectStore = {
    async facts(key) {
      const sizeBytes = objects.get(key)?.length;
      return sizeBytes === undefined ? undefined : { sizeBytes, sha256: undefined, md5: undefined, metadata: {} };
    },
    async put({ key, content }) {
      log.push(`put ${key}`);
      objects.set(
        key,
        "path" in content ? await readFile(content.path) : "bytes" in content ? content.bytes : Buffer.of(),
      );
    },
    async get({ key }, sink) {
      await new Promise<void>((resolve) => sink.end(objects.get(key), resolve));
    },
    keys: async (prefix) => [...objects.keys()].filter((key) => key.startsWith(prefix)),
    versions: async () => versions,
    async remove({ key, versionId }) {
      log.push(`remove ${key}${versionId === undefined ? "" : ` ${versionId}`}`);
      if (versionId === undefined) objects.delete(key);
    },
    check: async () => undefined,
    [Symbol.dispose]() {},
  };
  return { store, objects, versions, log };
}

async function site() {
  const folder = await temporaryFolder();
  const bucket = createStore();
  const clock = createManualClock();
  const options = { prefix: "copies", open: async () => bucket.store, clock, metrics: { add: () => undefined } };
  const path = join(folder.path, "copy.dcm");
  await writeFile(path, "de-identified");
  const sha256 = createHash("sha256").update("de-identified").digest("hex");
  const file: KeptFile = { path: "2.25.5/2.25.6.dcm", sha256, sizeBytes: 13 };
  const outbox = createSharedOutbox(options);
  const put = () => outbox.put("job-1", { instances: [file], attached: [] }, () => path, signal);
  return {
    ...{ ...bucket, clock, folder: folder.path, outbox, file, put, key: `${BEFORE}/${sha256}` },
    [Symbol.asyncDispose]: () => folder[Symbol.asyncDispose](),
  };
}

it("puts what lies there whole not again, and what was cut off once more, the manifest behind it", async () => {
  await using at = await site();
  await at.put();
  await at.put();
  at.objects.set(at.key, Buffer.from("de-id"));
  await at.put();
  const manifest = `put ${BEFORE}/manifest.json`;
  expect(at.log).toEqual([`put ${at.key}`, manifest, manifest, `put ${at.key}`, manifest]);
  expect(await at.outbox.manifest("job-1", signal)).toEqual({ instances: [at.file], attached: [] });
});

it("fetches a copy where none lies or another of its length, and leaves none that has another sum", async () => {
  await using at = await site();
  await at.put();
  const [fetched, other] = [join(at.folder, "fetched"), join(at.folder, "other")];
  await writeFile(other, "IDENTIFIABLE!");
  for (const path of [fetched, other]) {
    await at.outbox.fetch("job-1", at.file, path, signal);
    expect(await readFile(path, "utf8")).toBe("de-identified");
  }
  at.objects.set(at.key, Buffer.from("IDENTIFIABLE!"));
  const damagedPath = join(at.folder, "damaged");
  await expect(at.outbox.fetch("job-1", at.file, damagedPath, signal)).rejects.toThrow(damaged);
  expect((await readdir(at.folder)).sort()).toEqual(["copy.dcm", "fetched", "other"]);
});

it("removes the manifest first, earlier versions too, and nothing of others", async () => {
  await using at = await site();
  await at.put();
  const theirs = `${BEFORE}/notes.txt`;
  at.objects.set(theirs, Buffer.from("somebody's"));
  at.versions.push({ key: at.key, versionId: "v1" }, { key: theirs, versionId: "v2" });
  at.log.length = 0;
  await at.outbox.remove("job-1", signal);
  expect(at.log).toEqual([`remove ${BEFORE}/manifest.json`, `remove ${at.key}`, `remove ${at.key} v1`]);
  expect([...at.objects.keys()]).toEqual([theirs]);
});

it("keeps nobody waiting for a store that did not answer, for a while, and knows since when it is down", async () => {
  await using at = await site();
  const { facts } = at.store;
  let asked = 0;
  at.store.facts = () => {
    asked += 1;
    return Promise.reject(new GatewayError("S3_UNAVAILABLE"));
  };
  const unavailable = expect.objectContaining({ code: "SHARED_STAGING_UNAVAILABLE" });
  await at.clock.advance(1_000);
  for (let turn = 0; turn < 2; turn += 1) await expect(at.put()).rejects.toThrow(unavailable);
  expect(asked).toBe(1);
  await at.clock.advance(30_000);
  await expect(at.put()).rejects.toThrow(unavailable);
  expect([asked, at.outbox.downSinceMs()]).toEqual([2, 1_000]);
  at.store.facts = facts;
  await at.clock.advance(30_000);
  await at.put();
  expect(at.outbox.downSinceMs()).toBeUndefined();
});
