import { createHash, randomUUID } from "node:crypto";
import { createWriteStream } from "node:fs";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { type Readable, Transform } from "node:stream";
import { pipeline } from "node:stream/promises";
import { GatewayError } from "../errors/gateway-error.ts";
import { createBytePieces } from "../units/byte-pieces.ts";
import { makeFolders } from "../units/make-folders.ts";

/** A file that came as a body. Disposing removes it. */
export interface Upload extends AsyncDisposable {
  readonly path: string;
  /** SHA-256, lower-case hexadecimal. */
  readonly digest: string;
}

/** What a cohort may be sent as; readers know files by their ends. */
const EXTENSIONS: Readonly<Record<string, string>> = {
  "text/csv": ".csv",
  "text/plain": ".csv",
  "text/tab-separated-values": ".csv",
  "application/csv": ".csv",
  "application/octet-stream": ".csv",
  "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet": ".xlsx",
  "application/vnd.apache.parquet": ".parquet",
};
export const UPLOAD_TYPES: readonly string[] = Object.keys(EXTENSIONS);

/** @throws GatewayError API_CONTENT_TYPE_UNSUPPORTED, API_BODY_TOO_LARGE, FOLDER_NOT_WRITABLE */
export async function receiveUpload(
  body: Readable,
  options: {
    readonly contentType: string | undefined;
    readonly folder: string;
    readonly limitBytes: number;
    readonly signal: AbortSignal;
  },
): Promise<Upload> {
  const { contentType = "", folder, limitBytes, signal } = options;
  const extension = EXTENSIONS[contentType.split(";")[0]?.trim().toLowerCase() ?? ""];
  if (extension === undefined)
    throw new GatewayError("API_CONTENT_TYPE_UNSUPPORTED", { accepted: UPLOAD_TYPES.join(", ") });
  await makeFolders(folder, { mode: 0o700 }).catch((thrown: unknown) => {
    throw new GatewayError("FOLDER_NOT_WRITABLE", { setting: "home" }, thrown);
  });
  const path = join(folder, `upload-${randomUUID()}${extension}`);
  const hash = createHash("sha256");
  try {
    await pipeline(body, limited(limitBytes, hash), createWriteStream(path, { flags: "wx", mode: 0o600 }), { signal });
  } catch (thrown) {
    await rm(path, { force: true });
    throw thrown;
  }
  return { path, digest: hash.digest("hex"), [Symbol.asyncDispose]: () => rm(path, { force: true }) };
}

/** @throws GatewayError API_BODY_TOO_LARGE */
export async function receiveText(body: Readable, limitBytes: number): Promise<string> {
  const pieces = createBytePieces();
  for await (const chunk of body) {
    pieces.add(chunk);
    if (pieces.sizeBytes > limitBytes) throw new GatewayError("API_BODY_TOO_LARGE", { limitBytes });
  }
  return pieces.bytes().toString("utf8");
}

function limited(limitBytes: number, hash: ReturnType<typeof createHash>): Transform {
  let length = 0;
  return new Transform({
    transform(chunk: Buffer, _, done) {
      length += chunk.length;
      hash.update(chunk);
      if (length > limitBytes) done(new GatewayError("API_BODY_TOO_LARGE", { limitBytes }));
      else done(null, chunk);
    },
  });
}
