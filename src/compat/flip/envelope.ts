import { createCipheriv, createDecipheriv } from "node:crypto";
import { z } from "zod";
import { GatewayError } from "../../errors/gateway-error.ts";
import type { ErrorCode } from "../../errors/registry.ts";
import { type Random, systemRandom } from "../../units/random.ts";

/** What a value is sealed for: it opens under no other. A task's is `task:<type>`. */
export type EnvelopeContext =
  | ("project_id" | "xnat_setup_path" | "xnat_password" | "accession_id" | "" | `task:${string}`)
  | (string & {});

/** The id of the key that all of a platform share. */
export const SHARED_KEY_ID = "shared";

const VERSION = 1;
const CIPHER = "aes-256-gcm";
const KEY_BYTES = 32;
/** NIST SP 800-38D 5.2.1.1. */
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
const NOT_AN_ENVELOPE = "Payload is not a FLIP encryption envelope";
const STRICT_BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;

/** A value that is no envelope, or does not open. */
export class EnvelopeError extends GatewayError {
  override readonly name = "EnvelopeError";
  /** In the words that a FLIP service answers. */
  readonly reason: string;

  constructor(code: ErrorCode, reason: string) {
    super(code);
    this.reason = reason;
  }
}

/** Keys by their ids. Everything is sealed with the current one, and opened with the one that it names: so keys are rotated. */
export interface Keyring {
  readonly currentKeyId: string;
  readonly keys: ReadonlyMap<string, Uint8Array>;
}

const envelopeFields = z.object({
  v: z.int(),
  kid: z.string(),
  iv: z.string(),
  ct: z.string(),
});

/** AES-256-GCM in FLIP's envelope, byte for byte. */
export interface Envelopes {
  seal(plaintext: string, context: EnvelopeContext): string;
  /** @throws EnvelopeError FLIP_ENVELOPE_MALFORMED, FLIP_ENVELOPE_KEY_UNKNOWN, FLIP_ENVELOPE_UNAUTHENTIC */
  open(envelope: string, context: EnvelopeContext): string;
}

/** @throws GatewayError SETTING_INVALID when a key has not 32 bytes, or the current one is missing */
export function createEnvelopes(keyring: Keyring, random: Random = systemRandom): Envelopes {
  for (const [keyId, key] of keyring.keys) {
    if (key.length !== KEY_BYTES) throw new GatewayError("SETTING_INVALID", { keyId, keyBytes: key.length });
  }
  const current = keyring.keys.get(keyring.currentKeyId);
  if (current === undefined) throw new GatewayError("SETTING_INVALID", { keyId: keyring.currentKeyId });
  return {
    seal: (plaintext, context) => seal(plaintext, context, { keyId: keyring.currentKeyId, key: current, random }),
    open: (envelope, context) => open(envelope, context, keyring),
  };
}

/** Nonce and tag alone are longer, in base64 twice over. */
const SHORTEST_ENVELOPE = 100;

/** Whether a text looks like an envelope: no accession number does. */
export function isEnvelope(text: string): boolean {
  return text.length >= SHORTEST_ENVELOPE && fieldsOf(text) !== undefined;
}

function seal(
  plaintext: string,
  context: EnvelopeContext,
  { keyId, key, random }: { readonly keyId: string; readonly key: Uint8Array; readonly random: Random },
): string {
  const nonce = random.bytes(NONCE_BYTES);
  const cipher = createCipheriv(CIPHER, key, nonce).setAAD(additionalData(keyId, context));
  const sealed = Buffer.concat([cipher.update(plaintext, "utf8"), cipher.final(), cipher.getAuthTag()]);
  const [iv, ct] = [Buffer.from(nonce).toString("base64"), sealed.toString("base64")];
  // Python's json.dumps puts a blank after each colon and comma.
  const json = `{"v": ${VERSION}, "kid": ${JSON.stringify(keyId)}, "iv": "${iv}", "ct": "${ct}"}`;
  return Buffer.from(json, "utf8").toString("base64");
}

function open(text: string, context: EnvelopeContext, { keys }: Keyring): string {
  const { v, kid, iv, ct } = parsed(text);
  if (v !== VERSION) throw new EnvelopeError("FLIP_ENVELOPE_MALFORMED", `Unsupported payload version: ${v}`);
  const key = keys.get(kid);
  if (key === undefined) throw new EnvelopeError("FLIP_ENVELOPE_KEY_UNKNOWN", `No key registered for kid '${kid}'`);
  const nonce = fromBase64(iv);
  if (nonce.length !== NONCE_BYTES) {
    throw new EnvelopeError("FLIP_ENVELOPE_MALFORMED", `Nonce must be ${NONCE_BYTES} bytes, got ${nonce.length}`);
  }
  const sealed = fromBase64(ct);
  if (sealed.length < TAG_BYTES) throw new EnvelopeError("FLIP_ENVELOPE_UNAUTHENTIC", "");
  try {
    const decipher = createDecipheriv(CIPHER, key, nonce)
      .setAAD(additionalData(kid, context))
      .setAuthTag(sealed.subarray(-TAG_BYTES));
    return Buffer.concat([decipher.update(sealed.subarray(0, -TAG_BYTES)), decipher.final()]).toString("utf8");
  } catch {
    throw new EnvelopeError("FLIP_ENVELOPE_UNAUTHENTIC", "");
  }
}

function parsed(text: string): z.infer<typeof envelopeFields> {
  const fields = fieldsOf(text);
  if (fields === undefined) throw new EnvelopeError("FLIP_ENVELOPE_MALFORMED", NOT_AN_ENVELOPE);
  return fields;
}

function fieldsOf(text: string): z.infer<typeof envelopeFields> | undefined {
  if (!STRICT_BASE64.test(text)) return undefined;
  try {
    return envelopeFields.safeParse(JSON.parse(Buffer.from(text, "base64").toString("utf8"))).data;
  } catch {
    return undefined;
  }
}

function fromBase64(text: string): Buffer {
  if (!STRICT_BASE64.test(text)) throw new EnvelopeError("FLIP_ENVELOPE_MALFORMED", NOT_AN_ENVELOPE);
  return Buffer.from(text, "base64");
}

function additionalData(keyId: string, context: EnvelopeContext): Buffer {
  return Buffer.from(`FLIP|v${VERSION}|${keyId}|${context}`, "utf8");
}
