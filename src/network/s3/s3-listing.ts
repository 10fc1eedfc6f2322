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

/** A store that lists more than this below one study lies. */
const MOST_LISTED = 1_000_000;
/** What stores answer that know no versions (Amazon S3 API reference, error responses). */
const WITHOUT_VERSIONS: ReadonlySet<string> = new Set(["NotImplemented", "MethodNotAllowed"]);

/** @throws what the client throws; GatewayError S3_REFUSED when it does not end */
export async function keysBelow({ client, Bucket, prefix: Prefix }: Below, signal: AbortSignal) {
  const keys: string[] = [];
  let next: string | undefined;
  do {
    const command = new ListObjectsV2Command({ Bucket, Prefix, ContinuationToken: next });
    const { Contents = [], IsTruncated, NextContinuationToken } = await client.send(command, { abortSignal: signal });
    keys.push(...Contents.flatMap(({ Key }) => (Key === undefined ? [] : [Key])));
    next = following(IsTruncated, NextContinuationToken, keys.length);
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
  do {
    const command = new ListObjectVersionsCommand({ Bucket, Prefix, KeyMarker: key, VersionIdMarker: version });
    const page = await client.send(command, { abortSignal: signal }).catch((thrown: unknown) => {
      if (thrown instanceof S3ServiceException && WITHOUT_VERSIONS.has(thrown.name)) return undefined;
      throw thrown;
    });
    for (const { Key, VersionId } of [...(page?.Versions ?? []), ...(page?.DeleteMarkers ?? [])])
      if (Key !== undefined && VersionId !== undefined) versions.push({ key: Key, versionId: VersionId });
    key = following(page?.IsTruncated, page?.NextKeyMarker, versions.length);
    version = page?.NextVersionIdMarker;
  } while (key !== undefined);
  return versions;
}

function following(isTruncated: boolean | undefined, next: string | undefined, listed: number): string | undefined {
  if (listed > MOST_LISTED) throw new GatewayError("S3_REFUSED", { what: "listing" });
  return isTruncated === true ? next : undefined;
}
