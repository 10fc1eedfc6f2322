import { createHash, type KeyObject, sign } from "node:crypto";
import { zipContents } from "../../network/zip/zip-stream.ts";
import type { JobState } from "../../store/job-states.ts";
import type { JobRecord } from "../../store/records.ts";
import { canonicalJson } from "../../units/canonical-json.ts";
import type { OperationsContext } from "../context.ts";
import { isoTime } from "../describe.ts";
import { type EvidenceManifest, MANIFEST, PUBLIC_KEY, SIGNATURE } from "./documents.ts";
import { fingerprintOf, openSigningKey, publicPem } from "./signing-key.ts";
import { studyEvidence } from "./study-evidence.ts";

const PAGE = 500;
/** Rows in one file: what is held in memory at once. */
const ROWS_PER_FILE = 5_000;

/**
 * The zip of a cohort's evidence, in pieces; one study in memory at a time. That it is given out is written down first, and the manifest says so.
 * @throws GatewayError COHORT_NOT_FOUND, EVIDENCE_KEY_UNUSABLE
 */
export async function* exportEvidence(context: OperationsContext, cohort: string): AsyncGenerator<Uint8Array> {
  const { store, audit, actor } = context;
  const { project } = await store.cohortStatus(cohort);
  const key = await openSigningKey(context.evidence.keyFile);
  const detail = { cohort, key: fingerprintOf(key) };
  await audit.record({ event: "evidence-exported", actor, outcome: "success", project, detail });
  yield* zipContents(contentsOf(context, { cohort, project, key }));
}

interface Content {
  readonly name: string;
  readonly bytes: Uint8Array;
}

interface Sums {
  rows: number;
  studies: number;
  readonly states: Partial<Record<JobState, number>>;
  readonly delivered: { studies: number; files: number; sizeBytes: number };
  readonly profiles: Map<string, EvidenceManifest["profiles"][number]>;
}

/** Everything that the manifest speaks for, then the manifest, its signature and the key. */
async function* contentsOf(
  context: OperationsContext,
  of: { readonly cohort: string; readonly project: string; readonly key: KeyObject },
): AsyncGenerator<Content> {
  const delivered = { studies: 0, files: 0, sizeBytes: 0 };
  const sums: Sums = { rows: 0, studies: 0, states: {}, delivered, profiles: new Map() };
  const entries: EvidenceManifest["entries"] = [];
  const rowsOf = new Map<string, number[]>();
  async function* noted(contents: AsyncIterable<Content>): AsyncGenerator<Content> {
    for await (const content of contents) {
      const { name, bytes } = content;
      entries.push({ name, sizeBytes: bytes.length, sha256: createHash("sha256").update(bytes).digest("hex") });
      yield content;
    }
  }
  yield* noted(rowFiles(context, of.cohort, rowsOf, sums));
  yield* noted(studyFiles(context, of.cohort, rowsOf, sums));
  const manifest = Buffer.from(canonicalJson(await manifestOf(context, of, sums, entries)), "utf8");
  yield { name: MANIFEST, bytes: manifest };
  yield { name: SIGNATURE, bytes: Buffer.from(`${sign(null, manifest, of.key).toString("base64")}\n`) };
  yield { name: PUBLIC_KEY, bytes: Buffer.from(publicPem(of.key)) };
}

async function manifestOf(
  { store, clock, evidence }: OperationsContext,
  { cohort, project, key }: { readonly cohort: string; readonly project: string; readonly key: KeyObject },
  { profiles, ...sums }: Sums,
  entries: EvidenceManifest["entries"],
): Promise<EvidenceManifest> {
  const head = (await store.auditHeads()).find(({ where }) => where === "row");
  return {
    kind: "radferry-evidence",
    version: 1,
    software: { name: "radferry", version: evidence.version },
    project,
    cohort,
    madeAt: isoTime(clock.nowMs()),
    ...sums,
    profiles: [...profiles.values()],
    audit: { count: head?.count ?? 0, hash: head?.hash ?? "0".repeat(64) },
    key: { algorithm: "Ed25519", fingerprint: fingerprintOf(key) },
    entries,
  };
}

/** One line for each row, by its number: nothing of what stands in it. */
async function* rowFiles(
  { store }: OperationsContext,
  cohort: string,
  rowsOf: Map<string, number[]>,
  sums: Sums,
): AsyncGenerator<Content> {
  let lines: string[] = [];
  let afterRow = 0;
  for (let file = 1, isLast = false; !isLast; ) {
    const page = await store.exportRows(cohort, { afterRow, limit: PAGE });
    for (const { rowNumber, refusedCode, jobs } of page) {
      sums.rows += 1;
      const studies = jobs.map(({ id }) => id);
      for (const id of studies) rowsOf.set(id, [...(rowsOf.get(id) ?? []), rowNumber]);
      lines.push(canonicalJson({ row: rowNumber, refused: refusedCode ?? null, studies }));
    }
    afterRow = page.at(-1)?.rowNumber ?? afterRow;
    isLast = page.length < PAGE;
    if (lines.length === 0 || (lines.length < ROWS_PER_FILE && !isLast)) continue;
    yield { name: `rows/${String(file).padStart(5, "0")}.jsonl`, bytes: Buffer.from(`${lines.join("\n")}\n`) };
    lines = [];
    file += 1;
  }
}

async function* studyFiles(
  context: OperationsContext,
  cohort: string,
  rowsOf: ReadonlyMap<string, readonly number[]>,
  sums: Sums,
): AsyncGenerator<Content> {
  for await (const job of jobsOf(context, cohort)) {
    const document = await studyEvidence(context.store, job, rowsOf.get(job.id) ?? []);
    const { state, files, profile } = document;
    sums.studies += 1;
    sums.states[state] = (sums.states[state] ?? 0) + 1;
    if (files.length > 0) sums.delivered.studies += 1;
    sums.delivered.files += files.length;
    sums.delivered.sizeBytes += files.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
    if (profile !== null) {
      const known = sums.profiles.get(profile.hash) ?? { ...profile, studies: 0 };
      sums.profiles.set(profile.hash, { ...known, studies: known.studies + 1 });
    }
    yield { name: `studies/${job.id}.json`, bytes: Buffer.from(`${canonicalJson(document)}\n`) };
  }
}

async function* jobsOf({ store }: OperationsContext, cohort: string): AsyncGenerator<JobRecord> {
  let after: string | undefined;
  for (;;) {
    const page = await store.listJobs({ cohort, ...(after === undefined ? {} : { after }), limit: PAGE });
    yield* page;
    after = page.at(-1)?.id;
    if (page.length < PAGE) return;
  }
}
