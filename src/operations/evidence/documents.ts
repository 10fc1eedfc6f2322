import { z } from "zod";
import { JOB_STATES, type JobState } from "../../store/job-states.ts";

const count = z.int().min(0);
const digest = z.string().regex(/^[0-9a-f]{64}$/, "SHA-256, lower-case hexadecimal");
const states = Object.keys(JOB_STATES) as [JobState, ...JobState[]];

/** What the signature speaks for: everything else in the file is in it by its digest. */
export const evidenceManifestSchema = z
  .strictObject({
    kind: z.literal("radferry-evidence"),
    version: z.literal(1),
    software: z.strictObject({ name: z.literal("radferry"), version: z.string() }),
    project: z.string(),
    cohort: z.string(),
    madeAt: z.iso.datetime().describe("UTC"),
    rows: count,
    studies: count,
    states: z.partialRecord(z.enum(states), count).describe("Studies by what became of them"),
    delivered: z.strictObject({ studies: count, files: count, sizeBytes: count }),
    profiles: z
      .array(
        z.strictObject({
          name: z.string(),
          version: z.int(),
          hash: digest.describe("Of the effective rules"),
          studies: count,
        }),
      )
      .describe("Profiles that studies were de-identified by"),
    audit: z
      .strictObject({ count, hash: digest })
      .describe("How far the audit trail went: radferry audit verify --noted COUNT:HASH holds it against this"),
    key: z.strictObject({
      algorithm: z.literal("Ed25519"),
      fingerprint: digest.describe("Of the public key, SPKI DER"),
    }),
    entries: z
      .array(z.strictObject({ name: z.string(), sizeBytes: count, sha256: digest }))
      .describe("Every other file, in the order of the zip"),
  })
  .describe("Evidence of a cohort: what was asked, what came, what was done to it and what was delivered");
export type EvidenceManifest = z.infer<typeof evidenceManifestSchema>;

export const MANIFEST = "manifest.json";
export const SIGNATURE = "manifest.sig";
export const PUBLIC_KEY = "public-key.pem";

/** Something in an evidence file that is not as it was signed. */
export interface EvidenceFinding {
  readonly problem: "not-evidence" | "signature" | "key" | "changed" | "removed" | "added" | "structure";
  /** The file within it; empty where it is about the whole. */
  readonly entry: string;
}

export interface EvidenceVerdict {
  readonly ok: boolean;
  /** `proven`: signed by the key that was given; `not-checked`: whole, and by whom is not known. */
  readonly origin: "proven" | "not-checked" | "other";
  /** Of the key in the file; null where there is none. */
  readonly fingerprint: string | null;
  readonly manifest: Omit<EvidenceManifest, "entries"> | null;
  readonly findings: readonly EvidenceFinding[];
}
