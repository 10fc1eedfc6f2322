import { createHash } from "node:crypto";
import { open } from "node:fs/promises";
import { GatewayError } from "../../errors/gateway-error.ts";
import { BLAKE2B_KEY_LIMIT_BYTES, type PixlSecrets } from "./pixl-hash.ts";

export interface PixlSecretFiles {
  readonly hashKeyFile: string;
  readonly projectSaltFile: string;
  readonly localSaltFile: string;
}

/** Longer than any salt: a mistaken path is not read whole. */
const SECRET_LIMIT_BYTES = 1_024;
const READABLE_BY_OTHERS = 0o077;

/**
 * Each file holds one text, its line end taken off; the site's salt may be empty, as PIXL's is unless a site sets it.
 * @throws GatewayError SECRET_FILE_UNREADABLE, SECRET_FILE_READABLE_BY_OTHERS, PIXL_SECRET_MALFORMED
 */
export async function loadPixlSecrets(files: PixlSecretFiles): Promise<PixlSecrets> {
  return {
    hashKey: await loadSecret(files.hashKeyFile, 1, BLAKE2B_KEY_LIMIT_BYTES),
    projectSalt: await loadSecret(files.projectSaltFile, 1, SECRET_LIMIT_BYTES),
    localSalt: await loadSecret(files.localSaltFile, 0, SECRET_LIMIT_BYTES),
  };
}

/** Two projects with the same one would give a patient the same pseudonym. */
export function pixlSecretsId({ hashKey, projectSalt, localSalt }: PixlSecrets): string {
  const digest = createHash("sha256").update(`radferry-pixl-id\0${hashKey}\0${projectSalt}${localSalt}`);
  return digest.digest("hex").slice(0, 16);
}

async function loadSecret(path: string, leastBytes: number, mostBytes: number): Promise<string> {
  await using file = await open(path, "r").catch((cause: unknown) => {
    throw new GatewayError("SECRET_FILE_UNREADABLE", { path }, cause);
  });
  const facts = await file.stat();
  if (facts.isDirectory()) throw new GatewayError("SECRET_FILE_UNREADABLE", { path, reason: "EISDIR" });
  if ((facts.mode & READABLE_BY_OTHERS) !== 0) throw new GatewayError("SECRET_FILE_READABLE_BY_OTHERS", { path });
  const buffer = Buffer.alloc(SECRET_LIMIT_BYTES + 3);
  const { bytesRead } = await file.read(buffer, 0, buffer.length, 0).catch((cause: unknown) => {
    throw new GatewayError("SECRET_FILE_UNREADABLE", { path }, cause);
  });
  const text = buffer.toString("utf8", 0, bytesRead).replace(/\r?\n$/, "");
  const sizeBytes = Buffer.byteLength(text);
  const isWhole = sizeBytes >= leastBytes && sizeBytes <= mostBytes && !/[\0\r\n\uFFFD]/.test(text);
  if (!isWhole) throw new GatewayError("PIXL_SECRET_MALFORMED", { path });
  return text;
}
