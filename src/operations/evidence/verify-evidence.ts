import { createHash, type KeyObject, verify } from "node:crypto";
import { createReadStream } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";
import { GatewayError } from "../../errors/gateway-error.ts";
import { readZipDirectory, type ZipEntry } from "../../network/zip/zip-directory.ts";
import { contentOf, zipStream } from "../../network/zip/zip-stream.ts";
import { systemCodeOf } from "../../units/durable-files.ts";
import {
  type EvidenceFinding,
  type EvidenceManifest,
  type EvidenceVerdict,
  evidenceManifestSchema,
  MANIFEST,
  PUBLIC_KEY,
  SIGNATURE,
} from "./documents.ts";
import { fingerprintOf, parsePublicKey } from "./signing-key.ts";

/** What is read whole: the manifest of a very large cohort. */
const LARGEST_MANIFEST_BYTES = 256 * 1024 * 1024;
const LARGEST_KEY_BYTES = 64 * 1024;
/** A file with thousands of broken parts is told by these. */
const MAXIMUM_FINDINGS = 100;

/**
 * Whether an evidence file is, byte for byte, what was signed. It needs no gateway.
 * @param trusted the key that should have signed; without it only that the file is whole can be told
 * @throws GatewayError EVIDENCE_UNREADABLE
 */
export async function verifyEvidence(path: string, trusted?: KeyObject): Promise<EvidenceVerdict> {
  try {
    await using file = await open(path, "r");
    return await examine(file, path, trusted);
  } catch (thrown) {
    if (systemCodeOf(thrown) === undefined) throw thrown;
    throw new GatewayError("EVIDENCE_UNREADABLE", {}, thrown);
  }
}

const NO_EVIDENCE: EvidenceVerdict = {
  ok: false,
  origin: "not-checked",
  fingerprint: null,
  manifest: null,
  findings: [{ problem: "not-evidence", entry: "" }],
};

async function examine(file: FileHandle, path: string, trusted: KeyObject | undefined): Promise<EvidenceVerdict> {
  const { size: sizeBytes } = await file.stat();
  const listed = await readZipDirectory({ sizeBytes, readFrom: (start) => readFrom(file, start, sizeBytes) });
  if (listed === undefined) return NO_EVIDENCE;
  const zip: Zip = { path, sizeBytes, entries: listed };
  const text = await contentNamed(zip, MANIFEST, LARGEST_MANIFEST_BYTES);
  const manifest = text && manifestIn(text);
  if (text === undefined || manifest === undefined) return NO_EVIDENCE;
  const { key, findings: keyFindings } = await signatureFindings(zip, text, trusted);
  const findings = [...keyFindings, ...(await entryFindings(zip, manifest))];
  if (findings.length === 0 && !(await isWrittenAnew(zip))) findings.push({ problem: "structure", entry: "" });
  const fingerprint = key === undefined ? null : fingerprintOf(key);
  if (fingerprint !== null && manifest.key.fingerprint !== fingerprint)
    findings.push({ problem: "key", entry: PUBLIC_KEY });
  const { entries: _, ...facts } = manifest;
  const isTrusted = trusted !== undefined && fingerprint === fingerprintOf(trusted);
  const origin = trusted === undefined ? "not-checked" : isTrusted ? "proven" : "other";
  return {
    ok: findings.length === 0,
    origin: findings.length > 0 && origin === "proven" ? "other" : origin,
    fingerprint,
    manifest: facts,
    findings: findings.slice(0, MAXIMUM_FINDINGS),
  };
}

interface Zip {
  readonly path: string;
  readonly sizeBytes: number;
  readonly entries: readonly ZipEntry[];
}

async function readFrom(file: FileHandle, start: number, end: number): Promise<Buffer> {
  const bytes = Buffer.alloc(Math.max(0, end - start));
  const { bytesRead } = await file.read(bytes, 0, bytes.length, start);
  return bytes.subarray(0, bytesRead);
}

async function contentNamed({ path, entries }: Zip, name: string, limitBytes: number): Promise<Buffer | undefined> {
  const entry = entries.find((each) => each.name === name);
  if (entry === undefined || entry.sizeBytes > limitBytes) return undefined;
  const { start, sizeBytes } = entry;
  return Buffer.concat(await Array.fromAsync(contentOf({ name, path, start, sizeBytes })));
}

function manifestIn(text: Buffer): EvidenceManifest | undefined {
  try {
    const parsed = evidenceManifestSchema.safeParse(JSON.parse(text.toString("utf8")));
    return parsed.success ? parsed.data : undefined;
  } catch (thrown) {
    if (thrown instanceof SyntaxError) return undefined;
    throw thrown;
  }
}

/** By the key in the file, and by the trusted one where it is another. */
async function signatureFindings(
  zip: Zip,
  manifest: Buffer,
  trusted: KeyObject | undefined,
): Promise<{ readonly key: KeyObject | undefined; readonly findings: EvidenceFinding[] }> {
  const pem = await contentNamed(zip, PUBLIC_KEY, LARGEST_KEY_BYTES);
  const signature = Buffer.from(((await contentNamed(zip, SIGNATURE, LARGEST_KEY_BYTES)) ?? "").toString(), "base64");
  const key = pem && keyIn(pem);
  const findings: EvidenceFinding[] = [];
  if (key === undefined) findings.push({ problem: pem === undefined ? "removed" : "key", entry: PUBLIC_KEY });
  else if (trusted !== undefined && fingerprintOf(key) !== fingerprintOf(trusted))
    findings.push({ problem: "key", entry: PUBLIC_KEY });
  const signer = trusted ?? key;
  if (signer !== undefined && !verify(null, manifest, signer, signature))
    findings.push({ problem: "signature", entry: SIGNATURE });
  return { key, findings };
}

function keyIn(pem: Buffer): KeyObject | undefined {
  try {
    return parsePublicKey(pem.toString("utf8"));
  } catch (thrown) {
    if (thrown instanceof GatewayError) return undefined;
    throw thrown;
  }
}

/** Entries that are not what the manifest says, that it does not name, or that are gone. */
async function entryFindings({ path, entries }: Zip, manifest: EvidenceManifest): Promise<EvidenceFinding[]> {
  const signed = new Map(manifest.entries.map((entry) => [entry.name, entry]));
  const findings: EvidenceFinding[] = [];
  const seen = new Set<string>();
  const tail = new Set([MANIFEST, SIGNATURE, PUBLIC_KEY]);
  for (const { name, start, sizeBytes } of entries) {
    const expected = signed.get(name);
    const isKnown = expected !== undefined || tail.has(name);
    if (!isKnown || seen.has(name)) findings.push({ problem: "added", entry: name });
    else if (expected !== undefined) {
      const isSame =
        expected.sizeBytes === sizeBytes && (await sha256Of({ path, start, sizeBytes })) === expected.sha256;
      if (!isSame) findings.push({ problem: "changed", entry: name });
    }
    seen.add(name);
  }
  for (const name of signed.keys()) if (!seen.has(name)) findings.push({ problem: "removed", entry: name });
  return findings;
}

async function sha256Of(of: { readonly path: string; readonly start: number; readonly sizeBytes: number }) {
  const hash = createHash("sha256");
  for await (const piece of contentOf({ name: "", ...of })) hash.update(piece);
  return hash.digest("hex");
}

/** What is in no content, such as names and sums, is as the same contents would be written again. */
async function isWrittenAnew({ path, sizeBytes, entries }: Zip): Promise<boolean> {
  const files = entries.map(({ name, start, sizeBytes: contentBytes }) => ({
    name,
    path,
    start,
    sizeBytes: contentBytes,
  }));
  const written = createHash("sha256");
  let writtenBytes = 0;
  for await (const piece of zipStream(files)) {
    written.update(piece);
    writtenBytes += piece.length;
  }
  const there = createHash("sha256");
  for await (const piece of createReadStream(path)) there.update(piece);
  return writtenBytes === sizeBytes && written.digest("hex") === there.digest("hex");
}
