import { createHash } from "node:crypto";
import { createWriteStream } from "node:fs";
import { rm, stat } from "node:fs/promises";
import { Transform, Writable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { z } from "zod";
import { GatewayError, toGatewayError } from "../errors/gateway-error.ts";
import type { ObjectStore } from "../network/s3/s3-client.ts";
import type { Clock } from "../units/clock.ts";
import { concurrently } from "../units/concurrently.ts";
import { isDiskFull } from "../units/durable-files.ts";
import type { Metrics } from "../units/metrics.ts";
import { sha256OfFile } from "./file-sum.ts";
import { rethrowOutbox } from "./outbox.ts";

const keptFile = z.strictObject({
  /** From the study's folder, with slashes, pseudonymous UIDs in it. */
  path: z.string().max(1_000),
  sha256: z.string().regex(/^[0-9a-f]{64}$/),
  sizeBytes: z.int().min(0),
});
const manifestShape = z.strictObject({
  version: z.literal(1),
  instances: z.array(keptFile),
  /** What a processing hook made beside them. */
  attached: z.array(keptFile),
});

/** A file of a de-identified study. */
export type KeptFile = z.output<typeof keptFile>;
/** What is kept of a study's copies. It is there once all of them are. */
export type SharedManifest = Omit<z.output<typeof manifestShape>, "version">;

/**
 * De-identified copies that await delivery in an object store that several gateways see: what one made, another can deliver.
 * @throws GatewayError from every method: SHARED_STAGING_UNAVAILABLE, whatever is wrong with the store; the signal's reason
 */
export interface SharedOutbox {
  /** The files, then the manifest. What lies there already is not put again. */
  put(job: string, copies: SharedManifest, pathOf: (file: KeptFile) => string, signal: AbortSignal): Promise<void>;
  /** Undefined: nothing whole is kept. @throws GatewayError SHARED_COPY_DAMAGED too */
  manifest(job: string, signal: AbortSignal): Promise<SharedManifest | undefined>;
  /** Writes it to the path, unless it lies there already. @throws GatewayError SHARED_COPY_DAMAGED, OUTBOX_… too, and then leaves nothing there */
  fetch(job: string, file: KeptFile, path: string, signal: AbortSignal): Promise<void>;
  /** All of the job's objects, the manifest first, and their earlier versions where the store lets us see them. */
  remove(job: string, signal: AbortSignal): Promise<void>;
  /** Jobs of which something is kept. */
  jobs(signal: AbortSignal): Promise<readonly string[]>;
  /** Since when every question failed; undefined: the last one was answered. */
  downSinceMs(): number | undefined;
  /** Whether the bucket takes, gives and deletes. @throws GatewayError S3_… as the store says it */
  rehearse(probe: string, signal: AbortSignal): Promise<void>;
}

export interface SharedOutboxOptions {
  /** What all keys begin with; empty: nothing. */
  readonly prefix: string;
  /** Asked for each study: changed keys hold from then on. */
  readonly open: () => Promise<ObjectStore>;
  readonly clock: Pick<Clock, "nowMs">;
  readonly metrics: Pick<Metrics, "add">;
}

export const PARALLEL_OBJECTS = 4;
/** That of a million instances is smaller. */
const LARGEST_MANIFEST_BYTES = 256 * 2 ** 20;
/** A store that did not answer is not asked to take the next copies before this: nobody waits for it. */
const REST_MS = 30_000;
/** As the store gives them to jobs. */
const JOB_ID = /^[A-Za-z0-9_-]{1,64}$/;
const MANIFEST = "manifest.json";
/** What is called otherwise is somebody else's. */
const OURS = /^(?:[0-9a-f]{64}|manifest\.json)$/;

interface Asking extends SharedOutboxOptions {
  downSinceMs: number | undefined;
  failedAtMs: number | undefined;
}

export function createSharedOutbox(options: SharedOutboxOptions): SharedOutbox {
  const asking: Asking = { ...options, downSinceMs: undefined, failedAtMs: undefined };
  return {
    async put(job, copies, pathOf, signal) {
      const { failedAtMs, clock } = asking;
      if (failedAtMs !== undefined && clock.nowMs() - failedAtMs < REST_MS)
        throw new GatewayError("SHARED_STAGING_UNAVAILABLE", { action: "put", cause: "resting" });
      await ask(asking, "put", signal, (store) => put(asking, store, { job, copies, pathOf }, signal));
    },
    manifest: (job, signal) => ask(asking, "get", signal, (store) => readManifest(asking, store, job, signal)),
    fetch: (job, file, path, signal) =>
      ask(asking, "get", signal, (store) => fetchFile(asking, store, { job, file, path }, signal)),
    remove: (job, signal) =>
      ask(asking, "remove", signal, (store) => removeBelow(store, `${folderOf(asking, job)}/`, signal)),
    jobs: (signal) => ask(asking, "list", signal, (store) => jobsIn(asking, store, signal)),
    downSinceMs: () => asking.downSinceMs,
    rehearse: (probe, signal) => rehearse(asking, probe, signal),
  };
}

/** Whatever the store says: work on studies waits or goes on without it, and the cause is told. */
async function ask<T>(
  asking: Asking,
  action: "put" | "get" | "remove" | "list",
  signal: AbortSignal,
  question: (store: ObjectStore) => Promise<T>,
): Promise<T> {
  try {
    using store = await asking.open();
    const answer = await question(store);
    asking.downSinceMs = asking.failedAtMs = undefined;
    return answer;
  } catch (thrown) {
    signal.throwIfAborted();
    const error = toGatewayError(thrown);
    if (error.code === "SHARED_COPY_DAMAGED" || !isOfStore(error)) throw error;
    const nowMs = asking.clock.nowMs();
    asking.downSinceMs ??= nowMs;
    asking.failedAtMs = nowMs;
    asking.metrics.add("shared_staging_failures_total", 1, { action });
    throw new GatewayError("SHARED_STAGING_UNAVAILABLE", { action, cause: error.code }, thrown);
  }
}

const OURS_TO_MEND: ReadonlySet<string> = new Set(["INTERNAL", "OUTBOX_FULL", "OUTBOX_UNAVAILABLE"]);

/** What our own disk or program did wrong is not the store's fault. */
function isOfStore({ code }: GatewayError): boolean {
  return !OURS_TO_MEND.has(code);
}

function folderOf({ prefix }: Pick<SharedOutboxOptions, "prefix">, job: string): string {
  if (!JOB_ID.test(job)) throw new GatewayError("INTERNAL", { what: "job id" });
  return prefix === "" ? job : `${prefix}/${job}`;
}

/** By its content: an object never changes, and its name tells nothing. */
function keyOf(asking: Asking, job: string, { sha256 }: KeptFile): string {
  return `${folderOf(asking, job)}/${sha256}`;
}

async function put(
  asking: Asking,
  store: ObjectStore,
  what: {
    readonly job: string;
    readonly copies: SharedManifest;
    readonly pathOf: (file: KeptFile) => string;
  },
  signal: AbortSignal,
): Promise<void> {
  const { job, copies, pathOf } = what;
  const { instances, attached } = copies;
  const different = new Map([...instances, ...attached].map((file) => [file.sha256, file]));
  await concurrently(different.values(), PARALLEL_OBJECTS, async (file) => {
    const { sha256, sizeBytes } = file;
    const key = keyOf(asking, job, file);
    // One that was cut off is shorter where a store keeps it at all.
    if ((await store.facts(key, signal))?.sizeBytes === sizeBytes) return;
    const object = { key, content: { path: pathOf(file) }, sizeBytes, sha256, metadata: {} };
    await store.put({ ...object, contentType: "application/octet-stream" }, signal);
    asking.metrics.add("shared_staging_bytes_total", sizeBytes, { direction: "put" });
  });
  const bytes = Buffer.from(JSON.stringify({ version: 1, instances, attached }), "utf8");
  const sha256 = createHash("sha256").update(bytes).digest("hex");
  const key = `${folderOf(asking, job)}/${MANIFEST}`;
  const facts = { sizeBytes: bytes.length, sha256, contentType: "application/json", metadata: {} };
  await store.put({ key, content: { bytes }, ...facts }, signal);
}

async function readManifest(
  asking: Asking,
  store: ObjectStore,
  job: string,
  signal: AbortSignal,
): Promise<SharedManifest | undefined> {
  const key = `${folderOf(asking, job)}/${MANIFEST}`;
  const facts = await store.facts(key, signal);
  if (facts === undefined) return undefined;
  if (facts.sizeBytes > LARGEST_MANIFEST_BYTES) throw new GatewayError("SHARED_COPY_DAMAGED", { what: "manifest" });
  const bytes = await bytesOf(store, key, signal);
  try {
    const { version: _, ...manifest } = manifestShape.parse(JSON.parse(bytes.toString("utf8")));
    return manifest;
  } catch (thrown) {
    if (thrown instanceof SyntaxError || thrown instanceof z.ZodError)
      throw new GatewayError("SHARED_COPY_DAMAGED", { what: "manifest" }, thrown);
    throw thrown;
  }
}

async function bytesOf(store: ObjectStore, key: string, signal: AbortSignal): Promise<Buffer> {
  const pieces: Buffer[] = [];
  const sink = new Writable({
    write(piece: Buffer, _, done) {
      pieces.push(piece);
      done();
    },
  });
  await store.get({ key, mostBytes: LARGEST_MANIFEST_BYTES }, sink, signal);
  return Buffer.concat(pieces);
}

async function fetchFile(
  asking: Asking,
  store: ObjectStore,
  { job, file, path }: { readonly job: string; readonly file: KeptFile; readonly path: string },
  signal: AbortSignal,
): Promise<void> {
  const { sizeBytes, sha256 } = file;
  if (await isThere(path, file, signal)) return;
  const key = keyOf(asking, job, file);
  const facts = await store.facts(key, signal);
  if (facts?.sizeBytes !== sizeBytes) throw new GatewayError("SHARED_COPY_DAMAGED", { what: "size" });
  const hash = createHash("sha256");
  const through = new Transform({
    transform(piece: Buffer, _, done) {
      hash.update(piece);
      done(null, piece);
    },
  });
  const written = pipeline(through, createWriteStream(path, { mode: 0o600 }), { signal });
  // Without an answer nothing would end what waits for it.
  const getting = store.get({ key, mostBytes: sizeBytes }, through, signal).catch((thrown: unknown) => {
    through.destroy();
    throw thrown;
  });
  const [got, kept] = await Promise.allSettled([getting, written]);
  for (const end of [got, kept]) {
    if (end.status === "fulfilled") continue;
    await rm(path, { force: true });
    // A disk that takes no more ends the answer too.
    if (kept.status === "rejected" && isOfOurDisk(kept.reason)) rethrowOutbox(kept.reason);
    throw end.reason;
  }
  asking.metrics.add("shared_staging_bytes_total", sizeBytes, { direction: "fetched" });
  if (hash.digest("hex") === sha256) return;
  await rm(path, { force: true });
  throw new GatewayError("SHARED_COPY_DAMAGED", { what: "sum" });
}

/** Connections have no path, and are never full. */
function isOfOurDisk(reason: unknown): boolean {
  return isDiskFull(reason) || (reason instanceof Error && "syscall" in reason && "path" in reason);
}

async function isThere(path: string, { sizeBytes, sha256 }: KeptFile, signal: AbortSignal): Promise<boolean> {
  const size = await stat(path).then(
    (stats) => stats.size,
    () => undefined,
  );
  return size === sizeBytes && (await sha256OfFile(path, signal)) === sha256;
}

/** @param folder with a slash at its end */
async function removeBelow(store: ObjectStore, folder: string, signal: AbortSignal): Promise<void> {
  const isOurs = ({ key }: { readonly key: string }): boolean => OURS.test(key.slice(folder.length));
  const keys = (await store.keys(folder, signal)).filter((key) => isOurs({ key }));
  // Without the manifest nobody begins with what is half removed.
  for (const key of keys.toSorted((a, b) => Number(b.endsWith(MANIFEST)) - Number(a.endsWith(MANIFEST))))
    await store.remove({ key }, signal);
  const versions = await store.versions(folder, signal).catch((thrown: unknown) => {
    if (toGatewayError(thrown).code === "S3_ACCESS_DENIED") return [];
    throw thrown;
  });
  for (const version of versions.filter(isOurs)) await store.remove(version, signal);
}

async function jobsIn({ prefix }: Asking, store: ObjectStore, signal: AbortSignal): Promise<readonly string[]> {
  const before = prefix === "" ? "" : `${prefix}/`;
  const keys = await store.keys(before, signal);
  const names = keys.map((key) => key.slice(before.length).split("/"));
  const ours = names.filter(
    ([job = "", name = "", ...rest]) => rest.length === 0 && JOB_ID.test(job) && OURS.test(name),
  );
  return [...new Set(ours.map(([job = ""]) => job))];
}

async function rehearse(asking: Asking, probe: string, signal: AbortSignal): Promise<void> {
  using store = await asking.open();
  await store.check(signal);
  const bytes = Buffer.from(probe, "utf8");
  const sha256 = createHash("sha256").update(bytes).digest("hex");
  const folder = folderOf(asking, probe);
  const object = { key: `${folder}/${sha256}`, sizeBytes: bytes.length, sha256, metadata: {} };
  await store.put({ ...object, content: { bytes }, contentType: "application/octet-stream" }, signal);
  const isSame = (await bytesOf(store, object.key, signal)).equals(bytes);
  await removeBelow(store, `${folder}/`, signal);
  if (!isSame) throw new GatewayError("SHARED_COPY_DAMAGED", { what: "probe" });
  if ((await store.facts(object.key, signal)) !== undefined) throw new GatewayError("S3_REFUSED", { action: "remove" });
}
