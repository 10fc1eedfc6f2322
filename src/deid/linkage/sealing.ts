import { createCipheriv, createDecipheriv, createHmac, createSecretKey, hkdfSync, randomBytes } from "node:crypto";
import { GatewayError } from "../../errors/gateway-error.ts";
import type { LinkRecord, NewLink } from "../../store/linkage.ts";
import type { ProjectKey } from "../pseudonyms/project-key.ts";

/** Who a pseudonym stands for; empty where the archive did not tell. */
export interface Identity {
  readonly patientId: string;
  readonly studyInstanceUid: string;
  readonly accessionNumber: string;
}

/** Seals links of a project, and opens them again. The keys stay in the closures. */
export interface LinkSealer {
  seal(identity: Identity, made: Pick<NewLink, "pseudonym" | "pseudoStudyInstanceUid">): NewLink;
  /** @throws GatewayError LINKAGE_UNREADABLE when it is not as it was sealed */
  open(link: LinkRecord): Identity;
  patientDigest(patientId: string): string;
}

const KEY_BYTES = 32;
/** AES-256-GCM with a random nonce of 96 bits and a tag of 128. NIST SP 800-38D 8.2.2 */
const CIPHER = "aes-256-gcm";
const NONCE_BYTES = 12;
const TAG_BYTES = 16;

/** A fresh data key, wrapped for the project: only with the key file is it of any use. */
export function newWrappedKey(wrapping: ProjectKey, project: string): Uint8Array {
  return sealBytes(wrappingKey(wrapping, project), randomBytes(KEY_BYTES), wrappingContext(project));
}

/** @throws GatewayError LINKAGE_UNREADABLE when the key file is another one */
export function openSealer(wrapping: ProjectKey, project: string, wrappedKey: Uint8Array): LinkSealer {
  const dataKey = openBytes(wrappingKey(wrapping, project), wrappedKey, wrappingContext(project));
  const sealing = derived(dataKey, "seal");
  const digesting = createSecretKey(derived(dataKey, "digest"));
  const digest = (kind: "patient" | "study", value: string): string =>
    createHmac("sha256", digesting).update(`${kind}\0`).update(value, "utf8").digest("hex");
  const contextOf = ({ pseudonym, pseudoStudyInstanceUid }: Pick<NewLink, "pseudonym" | "pseudoStudyInstanceUid">) =>
    `radferry/linkage/v1/link\n${project}\n${pseudonym}\n${pseudoStudyInstanceUid}`;
  return {
    seal(identity, { pseudonym, pseudoStudyInstanceUid }) {
      const { patientId, studyInstanceUid, accessionNumber } = identity;
      const text = Buffer.from(JSON.stringify([patientId, studyInstanceUid, accessionNumber]), "utf8");
      return {
        pseudonym,
        pseudoStudyInstanceUid,
        studyDigest: digest("study", studyInstanceUid),
        patientDigest: patientId === "" ? undefined : digest("patient", patientId),
        sealed: sealBytes(sealing, text, contextOf({ pseudonym, pseudoStudyInstanceUid })),
      };
    },
    open(link) {
      const parts: unknown = JSON.parse(openBytes(sealing, link.sealed, contextOf(link)).toString("utf8"));
      const [patientId, studyInstanceUid, accessionNumber]: readonly unknown[] = Array.isArray(parts) ? parts : [];
      return {
        patientId: String(patientId),
        studyInstanceUid: String(studyInstanceUid),
        accessionNumber: String(accessionNumber),
      };
    },
    patientDigest: (patientId) => digest("patient", patientId),
  };
}

function wrappingKey(key: ProjectKey, project: string): Buffer {
  return key.prf("linkage-wrapping", project);
}

function wrappingContext(project: string): string {
  return `radferry/linkage/v1/key\n${project}`;
}

/** HKDF-SHA-256 (RFC 5869) without a salt: the input is random already. */
function derived(dataKey: Uint8Array, use: "seal" | "digest"): Buffer {
  return Buffer.from(hkdfSync("sha256", dataKey, new Uint8Array(), `radferry/linkage/v1/${use}`, KEY_BYTES));
}

/** Nonce, tag, then what was enciphered. */
function sealBytes(key: Uint8Array, bytes: Uint8Array, context: string): Uint8Array {
  const nonce = randomBytes(NONCE_BYTES);
  const cipher = createCipheriv(CIPHER, key, nonce, { authTagLength: TAG_BYTES });
  cipher.setAAD(Buffer.from(context, "utf8"));
  const body = Buffer.concat([cipher.update(bytes), cipher.final()]);
  return Buffer.concat([nonce, cipher.getAuthTag(), body]);
}

function openBytes(key: Uint8Array, sealed: Uint8Array, context: string): Buffer {
  try {
    const nonce = sealed.subarray(0, NONCE_BYTES);
    const decipher = createDecipheriv(CIPHER, key, nonce, { authTagLength: TAG_BYTES });
    decipher.setAAD(Buffer.from(context, "utf8"));
    decipher.setAuthTag(sealed.subarray(NONCE_BYTES, NONCE_BYTES + TAG_BYTES));
    return Buffer.concat([decipher.update(sealed.subarray(NONCE_BYTES + TAG_BYTES)), decipher.final()]);
  } catch (thrown) {
    throw new GatewayError("LINKAGE_UNREADABLE", {}, thrown);
  }
}
