import {
  createHash,
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  type KeyObject,
  randomUUID,
} from "node:crypto";
import { link, open, readFile, rm } from "node:fs/promises";
import { dirname } from "node:path";
import { GatewayError } from "../../errors/gateway-error.ts";
import { isMissing, syncFolder, systemCodeOf } from "../../units/durable-files.ts";
import { makeFolders } from "../../units/make-folders.ts";

const READABLE_BY_OTHERS = 0o077;

/** The key that evidence is signed with; it is made where there is none. @throws GatewayError EVIDENCE_KEY_UNUSABLE */
export async function openSigningKey(path: string): Promise<KeyObject> {
  try {
    return await readSigningKey(path);
  } catch (thrown) {
    if (!isMissing(thrown)) throw unusable(thrown);
  }
  try {
    await makeSigningKey(path);
    return await readSigningKey(path);
  } catch (thrown) {
    throw unusable(thrown);
  }
}

function unusable(thrown: unknown): GatewayError {
  return thrown instanceof GatewayError ? thrown : new GatewayError("EVIDENCE_KEY_UNUSABLE", {}, thrown);
}

async function readSigningKey(path: string): Promise<KeyObject> {
  await using file = await open(path, "r");
  if (((await file.stat()).mode & READABLE_BY_OTHERS) !== 0)
    throw new GatewayError("EVIDENCE_KEY_UNUSABLE", { problem: "others can read it" });
  const key = createPrivateKey(await file.readFile("utf8"));
  if (key.asymmetricKeyType !== "ed25519")
    throw new GatewayError("EVIDENCE_KEY_UNUSABLE", { problem: "it is no Ed25519 key" });
  return key;
}

/** Of two processes that make one at once, one does. */
async function makeSigningKey(path: string): Promise<void> {
  const folder = dirname(path);
  await makeFolders(folder, { mode: 0o700 });
  const temporary = `${path}.${randomUUID()}.part`;
  try {
    await using file = await open(temporary, "wx", 0o600);
    const { privateKey } = generateKeyPairSync("ed25519");
    await file.writeFile(privateKey.export({ type: "pkcs8", format: "pem" }));
    await file.sync();
    await link(temporary, path).catch((thrown: unknown) => {
      if (systemCodeOf(thrown) !== "EEXIST") throw thrown;
    });
  } finally {
    await rm(temporary, { force: true });
  }
  await syncFolder(folder);
}

/** @throws GatewayError EVIDENCE_KEY_UNUSABLE for a file that holds no public key of Ed25519 */
export async function readPublicKey(path: string): Promise<KeyObject> {
  return parsePublicKey(
    await readFile(path, "utf8").catch((thrown: unknown) => {
      throw unusable(thrown);
    }),
  );
}

/** @throws GatewayError EVIDENCE_KEY_UNUSABLE */
export function parsePublicKey(pem: string): KeyObject {
  try {
    const key = createPublicKey(pem);
    if (key.asymmetricKeyType === "ed25519") return key;
  } catch (thrown) {
    throw unusable(thrown);
  }
  throw new GatewayError("EVIDENCE_KEY_UNUSABLE", { problem: "it is no Ed25519 key" });
}

export function publicPem(key: KeyObject): string {
  return createPublicKey(key).export({ type: "spki", format: "pem" }).toString();
}

/** SHA-256 of the public key, SPKI DER. */
export function fingerprintOf(key: KeyObject): string {
  const publicKey = key.type === "public" ? key : createPublicKey(key);
  return createHash("sha256")
    .update(publicKey.export({ type: "spki", format: "der" }))
    .digest("hex");
}
