import { GatewayError } from "../../errors/gateway-error.ts";
import { type ObjectStore, openObjectStore, type S3Server } from "../../network/s3/s3-client.ts";
import type { ObjectVersion } from "../../network/s3/s3-listing.ts";
import { STUDY_REPORT } from "../../staging/study-folder-report.ts";
import { concurrently } from "../../units/concurrently.ts";
import { fileNameOf, studyFolderOf } from "../files/layout.ts";
import type { DeliveredStudy } from "../inspection/inspection.ts";
import type { StudyRemoval } from "../removal/removal.ts";

interface BucketToClear {
  readonly server: () => Promise<S3Server>;
  readonly prefix: string;
  readonly parallel: number;
  /** Whether an object carries the mark of what was put here. */
  isMarked(store: ObjectStore, key: string, signal: AbortSignal): Promise<boolean>;
}

/**
 * Takes studies out of a bucket, and out of its earlier versions too: in a bucket with versions, what was only deleted could be had again.
 * @throws GatewayError S3_VERSIONS_KEPT, S3_VERSIONS_UNSEEN from both methods where the key may not
 */
export function s3Removal(bucket: BucketToClear): StudyRemoval {
  return {
    async remains(study, signal) {
      using store = openObjectStore(await bucket.server());
      const { ours, others, versions } = await lookThrough(store, bucket, study, signal);
      return { ours: ours.length + versions.length, others: others.length };
    },
    async remove(study, signal) {
      using store = openObjectStore(await bucket.server());
      const { ours } = await lookThrough(store, bucket, study, signal);
      // One after the other: stores that keep folders stumble over two deletions in one.
      for (const key of ours) await store.remove({ key }, signal);
      const { versions } = await lookThrough(store, bucket, study, signal);
      for (const version of versions) await store.remove(version, signal).catch(deniedAs("S3_VERSIONS_KEPT"));
    },
  };
}

interface Contents {
  readonly ours: readonly string[];
  readonly others: readonly string[];
  /** Of objects that are there no more. */
  readonly versions: readonly ObjectVersion[];
}

async function lookThrough(
  store: ObjectStore,
  bucket: BucketToClear,
  study: DeliveredStudy,
  signal: AbortSignal,
): Promise<Contents> {
  const folder = `${studyFolderOf(bucket.prefix, study)}/`;
  const keys = await store.keys(folder, signal);
  const known = new Set([...study.files.map(fileNameOf), STUDY_REPORT].map((name) => `${folder}${name}`));
  const ours: string[] = [];
  const others: string[] = [];
  await concurrently(keys, bucket.parallel, async (key) => {
    const isOurs = await bucket.isMarked(store, key, signal);
    (isOurs ? ours : others).push(key);
  });
  const there = new Set(keys);
  const versions = await store.versions(folder, signal).catch(deniedAs("S3_VERSIONS_UNSEEN"));
  // An earlier version is known by its key: what was put over it by others is theirs, with all that it was.
  return { ours, others, versions: versions.filter(({ key }) => !there.has(key) && isKnown(known, folder, key)) };
}

/** A study that came out otherwise before had other instances: every key that one could have had. */
function isKnown(known: ReadonlySet<string>, folder: string, key: string): boolean {
  return known.has(key) || /^(?:[0-9.]+\/[0-9.]+\.dcm|processed\/.+)$/.test(key.slice(folder.length));
}

function deniedAs(code: "S3_VERSIONS_KEPT" | "S3_VERSIONS_UNSEEN"): (thrown: unknown) => never {
  return (thrown) => {
    const isDenied = thrown instanceof GatewayError && thrown.code === "S3_ACCESS_DENIED";
    throw isDenied ? new GatewayError(code, {}, thrown) : thrown;
  };
}
