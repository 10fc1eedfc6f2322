import { createHash, createHmac, createSecretKey, randomBytes } from "node:crypto";
import { open } from "node:fs/promises";
import { GatewayError } from "../../errors/gateway-error.ts";
import { systemCodeOf, writeNewFileDurably } from "../../units/durable-files.ts";

/** A project's secret. It stays in the closure: printing or serialising a key shows its id alone. */
export interface ProjectKey {
  /** First 8 hexadecimal digits of SHA-256("radferry-key-id" || key): names the key in settings, reports and audit. */
  readonly id: string;
  /** HMAC-SHA-256(key, "radferry/v1/" || domain || 00H || utf8(text)): 32 bytes. */
  readonly prf: (domain: PrfDomain, text: string) => Buffer;
}

/** What a derived value stands for; two domains share nothing. */
type PrfDomain =
  | "accession"
  | "date"
  | "date-of-project"
  | "device"
  | "id"
  | "link-of-patient"
  | "link-of-study"
  | "linkage-wrapping"
  | "patient"
  | "patient-of-study"
  | "study-of-accession"
  | "uid"
  | "withdrawn"
  | "withdrawn-study";

/** Beside the keys, so that printing or serialising one still shows its id alone. */
const secrets = new WeakMap<ProjectKey, Uint8Array>();
const KEY_BYTES = 32;
const KEY_FILE = /^[0-9a-fA-F]{64}\r?\n?$/;
/** Longer than any key file: a mistaken path is not read whole. */
const KEY_FILE_LIMIT_BYTES = 128;
const READABLE_BY_OTHERS = 0o077;

/** @throws RangeError unless 32 bytes are given. */
export function projectKeyOf(secret: Uint8Array): ProjectKey {
  if (secret.length !== KEY_BYTES) throw new RangeError("a project key has 32 bytes");
  const bytes = Buffer.from(secret);
  const key = createSecretKey(bytes);
  const projectKey: ProjectKey = {
    id: createHash("sha256").update("radferry-key-id").update(bytes).digest("hex").slice(0, 8),
    prf: (domain, text) => createHmac("sha256", key).update(`radferry/v1/${domain}\0`).update(text, "utf8").digest(),
  };
  secrets.set(projectKey, bytes);
  return projectKey;
}

/** The secret itself, for another thread of this process and nothing else; undefined for a key that is not `projectKeyOf`'s. */
export function secretOf(key: ProjectKey): Uint8Array | undefined {
  return secrets.get(key);
}

/** @throws GatewayError KEY_FILE_MISSING, KEY_FILE_READABLE_BY_OTHERS, KEY_FILE_MALFORMED */
export async function loadProjectKey(path: string): Promise<ProjectKey> {
  await using file = await open(path, "r").catch((cause: unknown) => {
    throw new GatewayError("KEY_FILE_MISSING", { path }, cause);
  });
  const facts = await file.stat();
  // Containers make a folder of a secret that is missing.
  if (facts.isDirectory()) throw new GatewayError("KEY_FILE_MISSING", { path, reason: "EISDIR" });
  if ((facts.mode & READABLE_BY_OTHERS) !== 0) throw new GatewayError("KEY_FILE_READABLE_BY_OTHERS", { path });
  const buffer = Buffer.alloc(KEY_FILE_LIMIT_BYTES);
  const { bytesRead } = await file.read(buffer, 0, buffer.length, 0);
  const text = buffer.toString("latin1", 0, bytesRead);
  if (!KEY_FILE.test(text)) throw new GatewayError("KEY_FILE_MALFORMED", { path });
  return projectKeyOf(Buffer.from(text.slice(0, 2 * KEY_BYTES), "hex"));
}

/**
 * Makes a new key file with mode 0600, whole or not at all, and answers its key.
 * @throws GatewayError KEY_FILE_EXISTS when something is at the path already
 */
export async function generateProjectKey(path: string): Promise<ProjectKey> {
  const secret = randomBytes(KEY_BYTES);
  await writeNewFileDurably(path, `${secret.toString("hex")}\n`).catch((cause: unknown) => {
    throw systemCodeOf(cause) === "EEXIST" ? new GatewayError("KEY_FILE_EXISTS", { path }, cause) : cause;
  });
  return projectKeyOf(secret);
}
