import { readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { isDeepStrictEqual } from "node:util";
import { z } from "zod";
import { ENGINE } from "../deid/engine-version.ts";
import { recogniseCopy } from "../deid/verification/kept-copy.ts";
import type { StudyDelivery } from "../delivery/destination.ts";
import { GatewayError, toGatewayError } from "../errors/gateway-error.ts";
import type { AttachedFile } from "../staging/attached-file.ts";
import { type DeidentifiedFile, type Pseudonym, parsePseudonym } from "../staging/deidentified-file.ts";
import { type KeptFile, PARALLEL_OBJECTS, type SharedManifest, type SharedOutbox } from "../staging/shared-outbox.ts";
import { reportedFiles } from "../staging/study-folder-report.ts";
import { JOB_STATES } from "../store/job-states.ts";
import type { LedgerEntry } from "../store/records.ts";
import type { Store } from "../store/store.ts";
import { concurrently } from "../units/concurrently.ts";
import { makeFolders } from "../units/make-folders.ts";
import { unpackJson } from "../units/packed-json.ts";
import type { PipelineServices } from "./services.ts";
import { pauseFor, type StepContext, type StepResult, studyOf } from "./step.ts";

/** How long a study waits for a shared store that is down; then it is made anew, from its archive if need be. */
const PATIENCE_MS = 900_000;

const toldFile = z.object({ path: z.string(), sha256: z.string(), sizeBytes: z.number() });
const reportShape = z.looseObject({
  files: z.array(toldFile),
  profile: z.looseObject({ hash: z.string() }),
  keyId: z.string(),
  engine: z.string(),
  processing: z.looseObject({ files: z.array(toldFile) }).optional(),
});

/** Keeps what is about to be delivered where other gateways find it. That it cannot be kept is told, and keeps nothing from being delivered. */
export async function shareCopies(context: StepContext, { files, attached = [] }: StudyDelivery): Promise<void> {
  const { services, job, signal, write } = context;
  const { sharedOutbox } = services;
  if (sharedOutbox === undefined) return;
  const paths = new Map([...files, ...attached].map(({ sha256, path }) => [sha256, path]));
  const pathOf = ({ sha256 }: KeptFile): string => paths.get(sha256) ?? "";
  try {
    await sharedOutbox.put(job.id, manifestOf(files, attached), pathOf, signal);
  } catch (thrown) {
    signal.throwIfAborted();
    await write({ events: [{ event: "not kept in the shared store", detail: detailOf(thrown) }] });
  }
}

function manifestOf(files: readonly DeidentifiedFile[], attached: readonly AttachedFile[]): SharedManifest {
  return {
    instances: [...reportedFiles(files)],
    attached: attached.map(({ name: path, sha256, sizeBytes }) => ({ path, sha256, sizeBytes })),
  };
}

/** A study as it was kept, or why it waits; undefined: there is nothing that may be delivered, and it is made anew. */
type TakenUp = { readonly delivery: StudyDelivery } | { readonly end: StepResult } | undefined;

/**
 * Brings what another gateway, or this one before it died, made ready for delivery into the outbox. What is delivered of it is what the store's
 * account tells of the study: the bucket is not believed.
 */
export async function takeUpShared(context: StepContext): Promise<TakenUp> {
  const { services, job, signal, write } = context;
  const { sharedOutbox, clock, retry } = services;
  if (sharedOutbox === undefined || (job.stage !== "delivering" && job.stage !== "confirming")) return undefined;
  try {
    const manifest = await sharedOutbox.manifest(job.id, signal);
    if (manifest === undefined) return undefined;
    const account = await accountOf(context, manifest);
    if (account === undefined) return undefined;
    const delivery = await fetchAll(context, sharedOutbox, account);
    await write({
      events: [{ event: "taken up from the shared store", detail: { instances: delivery.files.length } }],
    });
    return { delivery };
  } catch (thrown) {
    signal.throwIfAborted();
    const { code } = toGatewayError(thrown);
    if (code === "SHARED_STAGING_UNAVAILABLE") {
      const downSinceMs = sharedOutbox.downSinceMs() ?? clock.nowMs();
      const isWorthWaiting = clock.nowMs() - downSinceMs < PATIENCE_MS && !(await hasOriginals(context));
      return isWorthWaiting ? { end: pauseFor(code, retry) } : undefined;
    }
    if (!DAMAGE.has(code)) throw thrown;
    await write({ events: [{ event: "shared copy cannot be used", detail: detailOf(thrown) }] });
    await forgetShared(services, job.id);
    return undefined;
  }
}

/** Codes that say that a copy is not what was put there. */
const DAMAGE: ReadonlySet<string> = new Set(["SHARED_COPY_DAMAGED", "INSTANCE_UNREADABLE", "INSTANCE_MISMATCH"]);

/** What the store tells of the study, where it was made as it would be made now. */
interface Account {
  readonly pseudonym: Pseudonym;
  readonly report: Readonly<Record<string, unknown>>;
  readonly manifest: SharedManifest;
  /** By new SOP Instance UID. */
  readonly ledger: ReadonlyMap<string, LedgerEntry>;
}

/** Undefined: the settings are others than it was made with. @throws GatewayError SHARED_COPY_DAMAGED where the manifest tells something else */
async function accountOf(context: StepContext, manifest: SharedManifest): Promise<Account | undefined> {
  const { services, project, job } = context;
  const kept = await services.store.studyReport(job.id, "last");
  const report = kept && reportShape.safeParse(await unpackJson(kept.packed)).data;
  if (report === undefined || job.pseudonym === undefined) return undefined;
  const isAsNow =
    report.profile.hash === project.profile.hash &&
    report.keyId === project.keyId &&
    report.engine === ENGINE &&
    (report.processing === undefined) === (project.hook === undefined);
  if (!isAsNow) return undefined;
  const told = { instances: report.files, attached: report.processing?.files ?? [] };
  if (!isDeepStrictEqual(manifest, told)) throw new GatewayError("SHARED_COPY_DAMAGED", { what: "manifest" });
  const entries = (await services.store.ledger(job.id)).filter(
    ({ deidentifiedAtMs, excludedAtMs }) => deidentifiedAtMs !== undefined && excludedAtMs === undefined,
  );
  const ledger = new Map(entries.map((entry) => [entry.pseudoSopInstanceUid ?? "", entry]));
  const sent = new Set(manifest.instances.map(({ path }) => uidIn(path)));
  const isWhole = entries.every(
    (entry) => entry.deliveredAtMs !== undefined || sent.has(entry.pseudoSopInstanceUid ?? ""),
  );
  if (!isWhole) throw new GatewayError("SHARED_COPY_DAMAGED", { what: "account" });
  const { pseudonym: _, studyInstanceUid: __, transcoded: ___, files: ____, ...own } = report;
  return { pseudonym: parsePseudonym(job.pseudonym), report: own, manifest, ledger };
}

function uidIn(path: string): string {
  return path.slice(path.lastIndexOf("/") + 1, -".dcm".length);
}

async function fetchAll(
  { services, project, job, signal }: StepContext,
  sharedOutbox: SharedOutbox,
  { pseudonym, report, manifest, ledger }: Account,
): Promise<StudyDelivery> {
  const folder = services.outbox.folderOf(job.id);
  const wanted = new Set([...manifest.instances, ...manifest.attached].map(({ sha256 }) => sha256));
  await makeFolders(folder, { mode: 0o700 });
  for (const name of await readdir(folder)) if (!wanted.has(name)) await rm(join(folder, name), { recursive: true });
  const files = new Map<string, DeidentifiedFile>();
  await concurrently(manifest.instances, PARALLEL_OBJECTS, async (file) => {
    const path = join(folder, file.sha256);
    await sharedOutbox.fetch(job.id, file, path, signal);
    const sopInstanceUid = uidIn(file.path);
    const sha256 = ledger.get(sopInstanceUid)?.sha256;
    const copy =
      sha256 === undefined ? undefined : await recogniseCopy(path, { pseudonym, sopInstanceUid, sha256 }, signal);
    if (copy === undefined || copy.studyInstanceUid !== job.pseudoStudyInstanceUid)
      throw new GatewayError("SHARED_COPY_DAMAGED", { what: "account" });
    files.set(file.path, copy);
  });
  const attached: AttachedFile[] = [];
  for (const file of manifest.attached) {
    const path = join(folder, file.sha256);
    await sharedOutbox.fetch(job.id, file, path, signal);
    attached.push({ name: file.path, path, sizeBytes: file.sizeBytes, sha256: file.sha256 });
  }
  const ordered = manifest.instances.flatMap(({ path }) => files.get(path) ?? []);
  const [first] = ordered;
  if (first === undefined) throw new GatewayError("SHARED_COPY_DAMAGED", { what: "empty" });
  return {
    project: project.name,
    pseudonym,
    studyInstanceUid: first.studyInstanceUid,
    files: ordered,
    attached,
    report,
  };
}

/** Whether it can be made anew without asking its archive. */
async function hasOriginals({ services, job }: StepContext): Promise<boolean> {
  const staged = new Set((await services.staging.list(studyOf(job))).map(({ sopInstanceUid }) => `${sopInstanceUid}`));
  const ledger = await services.store.ledger(job.id);
  return ledger.every((entry) => entry.receivedAtMs === undefined || staged.has(entry.sopInstanceUid));
}

/** What cannot be removed now is swept later. */
async function forgetShared(
  { sharedOutbox, logger }: Pick<PipelineServices, "sharedOutbox" | "logger">,
  job: string,
  mayBeRemoved: () => Promise<boolean> = () => Promise.resolve(true),
): Promise<void> {
  try {
    if (await mayBeRemoved()) await sharedOutbox?.remove(job, AbortSignal.timeout(REMOVAL_MS));
  } catch (thrown) {
    logger.warn("shared copy not removed yet", { job, code: toGatewayError(thrown).code });
  }
}

const REMOVAL_MS = 120_000;

/** The study is where it should be, or wanted no more: asked of the store, as another gateway may have taken the job over. */
export async function forgetSharedWhenDone(services: PipelineServices, id: string): Promise<void> {
  if (services.sharedOutbox === undefined) return;
  await forgetShared(services, id, async () => !(await isNeeded(services.store, id)));
}

/** The most jobs that one sweep asks the store about. */
const SWEEP_LIMIT = 100_000;

/** Removes what lies in the shared store of jobs that are done or gone. @returns of how many jobs */
export async function sweepSharedOutbox(
  { store, sharedOutbox }: { readonly store: Pick<Store, "job">; readonly sharedOutbox: SharedOutbox | undefined },
  signal: AbortSignal,
): Promise<number> {
  if (sharedOutbox === undefined) return 0;
  let removed = 0;
  for (const id of (await sharedOutbox.jobs(signal)).slice(0, SWEEP_LIMIT)) {
    signal.throwIfAborted();
    if (await isNeeded(store, id)) continue;
    await sharedOutbox.remove(id, signal);
    removed += 1;
  }
  return removed;
}

/** Whether a job's copies are still to be delivered. The store answers with another id for a job that was merged into another: it needs none of its own. */
async function isNeeded(store: Pick<Store, "job">, id: string): Promise<boolean> {
  try {
    const job = await store.job(id);
    return job.id === id && !JOB_STATES[job.state].done;
  } catch (thrown) {
    if (toGatewayError(thrown).code === "JOB_NOT_FOUND") return false;
    throw thrown;
  }
}

function detailOf(thrown: unknown): Readonly<Record<string, string | number | boolean>> {
  const { code, details } = toGatewayError(thrown);
  return { ...details, code };
}
