import { createReadStream } from "node:fs";
import type { Agent } from "node:https";
import { Readable, type Writable } from "node:stream";
import { pipeline } from "node:stream/promises";
import {
  DeleteObjectCommand,
  GetObjectCommand,
  HeadBucketCommand,
  HeadObjectCommand,
  PutObjectCommand,
  S3Client,
} from "@aws-sdk/client-s3";
import { GatewayError } from "../../errors/gateway-error.ts";
import { limitedTo } from "../file-transfer/file-session.ts";
import { limitAnswers } from "./limit-answers.ts";
import { isNotFound, s3Error } from "./s3-error.ts";
import { keysBelow, type ObjectVersion, versionsBelow } from "./s3-listing.ts";

export interface S3Server {
  /** Undefined: Amazon's own of the region. */
  readonly endpoint: string | undefined;
  readonly region: string;
  readonly bucket: string;
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  /** The bucket stands in the path, as most stores outside of Amazon want it, not in the host's name. */
  readonly usesPathStyle: boolean;
  readonly tls: { readonly certificateAuthorities?: string | readonly string[] | undefined };
}

/** What a store tells of an object without giving it. */
export interface ObjectFacts {
  readonly sizeBytes: number;
  /** Lower-case hexadecimal; undefined: the store keeps none. */
  readonly sha256: string | undefined;
  /** Of the whole content, lower-case hexadecimal; undefined: its entity tag is something else. */
  readonly md5: string | undefined;
  /** As it was put with. */
  readonly metadata: Readonly<Record<string, string>>;
}

export interface ObjectStore extends Disposable {
  /** Undefined: there is none of that key. */
  facts(key: string, signal: AbortSignal): Promise<ObjectFacts | undefined>;
  /** The store itself compares the content with its SHA-256 where it can. */
  put(object: ObjectToPut, signal: AbortSignal): Promise<void>;
  /** As many bytes as are expected at most: more are refused. The sink is ended. */
  get(object: { readonly key: string; readonly mostBytes: number }, sink: Writable, signal: AbortSignal): Promise<void>;
  /** All that begin so. */
  keys(prefix: string, signal: AbortSignal): Promise<readonly string[]>;
  /** Versions and marks of deletion of all that begin so; none where the store keeps none. */
  versions(prefix: string, signal: AbortSignal): Promise<readonly ObjectVersion[]>;
  /** In a bucket with versions, one without a version's id only hides the object. What is not there is removed, too. */
  remove(object: { readonly key: string; readonly versionId?: string }, signal: AbortSignal): Promise<void>;
  /** Whether the bucket is there and ours to see. */
  check(signal: AbortSignal): Promise<void>;
}

export interface ObjectToPut {
  readonly key: string;
  /** A file, what is read as it is sent, or bytes. */
  readonly content:
    | { readonly path: string }
    | { readonly read: () => AsyncIterable<Uint8Array> }
    | { readonly bytes: Buffer };
  readonly sizeBytes: number;
  /** Lower-case hexadecimal. */
  readonly sha256: string;
  readonly contentType: string;
  readonly metadata: Readonly<Record<string, string>>;
}

const CONNECT_MS = 15_000;
/** Of silence on a connection. */
const IDLE_MS = 60_000;
const CONNECTIONS = 8;
/** Of one PUT (Amazon S3 API reference, PutObject). */
const LARGEST_BYTES = 5 * 2 ** 30;
const MD5_TAG = /^"?([0-9a-f]{32})"?$/;

/** @throws GatewayError S3_…, TLS_…, DESTINATION_FULL from every method; the signal's reason */
export function openObjectStore(server: S3Server): ObjectStore {
  const { bucket: Bucket } = server;
  const client = clientOf(server);
  const attempt = async <T>(signal: AbortSignal, ask: () => Promise<T>): Promise<T> => {
    try {
      return await ask();
    } catch (thrown) {
      signal.throwIfAborted();
      throw s3Error(thrown);
    }
  };
  return {
    facts: (Key, signal) =>
      attempt(signal, async () => {
        try {
          const command = new HeadObjectCommand({ Bucket, Key, ChecksumMode: "ENABLED" });
          return factsOf(await client.send(command, { abortSignal: signal }));
        } catch (thrown) {
          if (isNotFound(thrown)) return undefined;
          throw thrown;
        }
      }),
    put: (object, signal) => attempt(signal, () => put(client, Bucket, object, signal)),
    get: ({ key: Key, mostBytes }, sink, signal) =>
      attempt(signal, async () => {
        const { Body } = await client.send(new GetObjectCommand({ Bucket, Key }), { abortSignal: signal });
        if (!(Body instanceof Readable)) throw new GatewayError("S3_REFUSED");
        const limiter = limitedTo(mostBytes, () => new GatewayError("S3_REFUSED", { what: "size" }));
        await pipeline(Body, limiter, sink, { signal });
      }),
    keys: (prefix, signal) => attempt(signal, () => keysBelow({ client, Bucket, prefix }, signal)),
    versions: (prefix, signal) => attempt(signal, () => versionsBelow({ client, Bucket, prefix }, signal)),
    remove: ({ key: Key, versionId: VersionId }, signal) =>
      attempt(signal, async () => {
        await client.send(new DeleteObjectCommand({ Bucket, Key, VersionId }), { abortSignal: signal });
      }),
    check: (signal) =>
      attempt(signal, async () => {
        await client.send(new HeadBucketCommand({ Bucket }), { abortSignal: signal }).catch((thrown: unknown) => {
          throw isNotFound(thrown) ? new GatewayError("S3_BUCKET_MISSING", {}, thrown) : thrown;
        });
      }),
    [Symbol.dispose]: () => client.destroy(),
  };
}

function clientOf({ endpoint, region, accessKeyId, secretAccessKey, usesPathStyle, tls }: S3Server): S3Client {
  const ca = tls.certificateAuthorities;
  const client = new S3Client({
    region,
    ...(endpoint === undefined ? {} : { endpoint }),
    credentials: { accessKeyId, secretAccessKey },
    forcePathStyle: usesPathStyle,
    // What is tried again is decided above, by the error's class.
    maxAttempts: 1,
    // It would print to the console, keys among it.
    logger: { debug() {}, info() {}, warn() {}, error() {} },
    // Many stores know no checksum but the one that is given with each object.
    requestChecksumCalculation: "WHEN_REQUIRED",
    responseChecksumValidation: "WHEN_REQUIRED",
    requestHandler: {
      connectionTimeout: CONNECT_MS,
      socketTimeout: IDLE_MS,
      httpsAgent: agentOptions(ca === undefined ? {} : { ca: [ca].flat() }),
      httpAgent: agentOptions({}),
    },
  });
  limitAnswers(client);
  return client;
}

function agentOptions(more: { readonly ca?: string[] }): Agent["options"] {
  return { keepAlive: true, maxSockets: CONNECTIONS, ...more };
}

async function put(
  client: S3Client,
  Bucket: string,
  { key: Key, content, sizeBytes, sha256, contentType, metadata }: ObjectToPut,
  signal: AbortSignal,
): Promise<void> {
  if (sizeBytes > LARGEST_BYTES) throw new GatewayError("S3_OBJECT_TOO_LARGE");
  const Body = bodyOf(content);
  const failing = new AbortController();
  // The library pipes it and hears none of its errors: one that nobody hears ends the process.
  if (Body instanceof Readable) Body.on("error", (thrown) => failing.abort(thrown));
  try {
    const command = new PutObjectCommand({
      ...{ Bucket, Key, Body },
      ContentLength: sizeBytes,
      ContentType: contentType,
      ChecksumSHA256: Buffer.from(sha256, "hex").toString("base64"),
      Metadata: { ...metadata },
    });
    await client.send(command, { abortSignal: AbortSignal.any([signal, failing.signal]) });
  } catch (thrown) {
    throw failing.signal.aborted ? failing.signal.reason : thrown;
  } finally {
    if (Body instanceof Readable) Body.destroy();
  }
}

function bodyOf(content: ObjectToPut["content"]): Readable | Buffer {
  if ("path" in content) return createReadStream(content.path);
  return "read" in content ? Readable.from(content.read(), { objectMode: false }) : content.bytes;
}

function factsOf({
  ContentLength,
  ChecksumSHA256,
  ETag,
  ServerSideEncryption,
  Metadata = {},
}: {
  readonly ContentLength?: number | undefined;
  readonly ChecksumSHA256?: string | undefined;
  readonly ETag?: string | undefined;
  readonly ServerSideEncryption?: string | undefined;
  readonly Metadata?: Record<string, string> | undefined;
}): ObjectFacts {
  const [, md5] = MD5_TAG.exec(ETag ?? "") ?? [];
  return {
    sizeBytes: ContentLength ?? -1,
    sha256: ChecksumSHA256 === undefined ? undefined : Buffer.from(ChecksumSHA256, "base64").toString("hex"),
    // With keys of a key service the tag is no sum (Amazon S3 API reference, Object).
    md5: ServerSideEncryption === undefined || ServerSideEncryption === "AES256" ? md5 : undefined,
    metadata: Metadata,
  };
}
