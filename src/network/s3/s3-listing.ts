import { ListObjectsV2Command, ListObjectVersionsCommand, type S3Client, S3ServiceException } from "@aws-sdk/client-s3";
import { GatewayError } from "../../errors/gateway-error.ts";

/** One of the contents that a key has had, or the mark that it was deleted. */
export interface ObjectVersion {
  readonly key: string;
  readonly versionId: string;
}

interface Below {
  readonly client: S3Client;
  readonly Bucket: string;
  readonly prefix: string;
}

/** A store that lists more than this below one study lies. Pages may be short, and even empty. */
const MOST_LISTED = 1_000_000;
const MOST_PAGES = 10_000;
/** What stores answer that know no versions (Amazon S3 API reference, error responses). */
const WITHOUT_VERSIONS: ReadonlySet<string> = new Set(["NotImplemented", "MethodNotAllowed"]);

/** @throws what the client throws; GatewayError S3_REFUSED when it does not end */
export async function keysBelow({ client, Bucket, prefix: Prefix }: Below, signal: AbortSignal) {
  const keys: string[] = [];
  let next: string | undefined;
  let pages = 0;
  do {
    const command = new ListObjectsV2Command({ Bucket, Prefix, ContinuationToken: next });
    const { Contents = [], IsTruncated, NextContinuationToken } = await client.send(command, { abortSignal: signal });
    keys.push(...Contents.flatMap(({ Key }) => (Key === undefined ? [] : [Key])));
    pages += 1;
    next = following(IsTruncated, { before: next, next: NextContinuationToken }, { listed: keys.length, pages });
  } while (next !== undefined);
  return keys;
}

/** @throws as `keysBelow` */
export async function versionsBelow(
  { client, Bucket, prefix: Prefix }: Below,
  signal: AbortSignal,
): Promise<readonly ObjectVersion[]> {
  const versions: ObjectVersion[] = [];
  let key: string | undefined;
  let version: string | undefined;
  let pages = 0;
  do {
    const command = new ListObjectVersionsCommand({ Bucket, Prefix, KeyMarker: key, VersionIdMarker: version });
    const page = await client.send(command, { abortSignal: signal }).catch((thrown: unknown) => {
      if (thrown instanceof S3ServiceException && WITHOUT_VERSIONS.has(thrown.name)) return undefined;
      throw thrown;
    });
    for (const { Key, VersionId } of [...(page?.Versions ?? []), ...(page?.DeleteMarkers ?? [])])
      if (Key !== undefined && VersionId !== undefined) versions.push({ key: Key, versionId: VersionId });
    pages += 1;
    key = following(page?.IsTruncated, { next: page?.NextKeyMarker }, { listed: versions.length, pages });
    version = page?.NextVersionIdMarker;
  } while (key !== undefined);
  return versions;
}

/** @throws GatewayError S3_REFUSED also when more is said to come and not where it begins: what is left out would be taken for gone */
function following(
  isTruncated: boolean | undefined,
  { before, next }: { readonly before?: string | undefined; readonly next: string | undefined },
  { listed, pages }: { readonly listed: number; readonly pages: number },
): string | undefined {
  if (isTruncated !== true) return undefined;
  if (next === undefined || next === before || listed > MOST_LISTED || pages >= MOST_PAGES)
    throw new GatewayError("S3_REFUSED", { what: "listing" });
  return next;
}
