import { rm } from "node:fs/promises";
import { join } from "node:path";
import { INTAKE_ARCHIVE } from "../archive/intake/intake-archive.ts";
import { kindOfInstance } from "../deid/instance-kind.ts";
import type { InstanceOutcome } from "../deid/outcome.ts";
import type { StudyFacts } from "../deid/study-facts.ts";
import { createStudyReport, type StudyReport } from "../deid/study-report.ts";
import type { StudySearch } from "../deid/verification/study-verification.ts";
import type { StudyRun } from "../deid/workers/study-run.ts";
import type { ErrorCode } from "../errors/registry.ts";
import type { DeidentifiedFile } from "../staging/deidentified-file.ts";
import type { StagedInstance } from "../staging/staging-area.ts";
import type { NewLink } from "../store/linkage.ts";
import type { JobChange, LedgerChange, LedgerEntry, PseudonymLink } from "../store/records.ts";
import { factsOfCombinedStudy } from "./combined-study.ts";
import { whyLeftOut } from "./left-out.ts";
import { type StepContext, type StepResult, studyOf } from "./step.ts";

/** What de-identification of a study came to. */
export interface DeidentifiedStudy {
  readonly files: readonly DeidentifiedFile[];
  readonly report: StudyReport;
  /** What its originals weighed, by modality. */
  readonly volumes: NonNullable<JobChange["volumes"]>;
  /** Searches what is made of the copies for what the originals tell; undefined where none were made. */
  readonly search: StudySearch | undefined;
  /** Set when nothing of the study may be delivered. */
  readonly end: StepResult | undefined;
}

/** Ledger lines written together: bounds both the transaction and what a crash repeats. */
const LEDGER_BATCH = 200;

/**
 * Writes the de-identified copy of every received instance into the job's outbox folder. Output is a function of its input,
 * so a step that was cut short is simply done again.
 */
export async function deidentifyStudy(context: StepContext): Promise<DeidentifiedStudy> {
  const { job, services, project } = context;
  const [release, ledger] = await Promise.all([services.store.releaseOf(job.id), services.store.ledger(job.id)]);
  const report = createStudyReport({ project: project.name, profile: project.profile, keyId: project.keyId, release });
  const received = await receivedInstances(context, ledger);
  // Staging was emptied by hand or lost: what is gone is fetched again.
  if (received === undefined) return nothingMade(report);
  const countBySeries = countInstances(ledger);
  const studyFacts = await factsOfCombinedStudy(context);
  await rm(services.outbox.folderOf(job.id), { recursive: true, force: true });

  const allowedPlaces = new Set(release?.allowTags);
  using study = project.deidentifier.study({ signal: context.signal, nowMs: services.clock.nowMs, allowedPlaces });
  const leaveOut = new Set(release?.leaveOut);
  const links = new Map<string, PseudonymLink>();
  const files = new Map<string, DeidentifiedFile>();
  const originals = new Map<string, StagedInstance>();
  const patientIds = new Set<string>();
  const rejections: ErrorCode[] = [];
  // The last batch's go with what the study came to.
  let changes: LedgerChange[] = [];
  for (let start = 0; start < received.length; start += LEDGER_BATCH) {
    const batch = received.slice(start, start + LEDGER_BATCH);
    if (changes.length > 0) await context.write({ ledger: changes });
    changes = [];
    for (const [instance, made] of await deidentifyBatch(context, batch, start, { countBySeries, study, studyFacts })) {
      const outcome = leaveOut.has(instance.sopInstanceUid) ? await leftBehind(made, study) : made;
      report.add(outcome, kindOfInstance(instance));
      if (outcome.kind === "deidentified") {
        patientIds.add(outcome.originalPatientId);
        for (const link of outcome.links) links.set(JSON.stringify(link), link);
        files.set(outcome.file.path, outcome.file);
        originals.set(outcome.file.path, instance);
      }
      if (outcome.kind === "rejected") rejections.push(outcome.code);
      changes.push(ledgerChange(instance, outcome));
    }
  }
  const verdict = await study.finish();
  report.conclude(verdict);
  const leftOut = await whyLeftOut(context, patientIds);
  if (leftOut !== undefined) return { ...nothingMade(report), end: { kind: "end", state: "excluded", code: leftOut } };
  for (const { outputPath, code, reason } of verdict.findings) {
    const original = originals.get(outputPath);
    if (original === undefined) continue;
    files.delete(outputPath);
    report.revoke({ code, reason }, kindOfInstance(original));
    rejections.push(code);
    changes.push({ kind: "excluded", sopInstanceUid: original.sopInstanceUid, reason: code, detail: reason });
    await rm(outputPath, { force: true });
  }
  const proven = [...files.values()];
  const end = await endOf(context, { files: proven, rejections, links: [...links.values()], ledger: changes });
  return { files: proven, report, volumes: volumesOf(received), search: verdict.search, end };
}

function nothingMade(report: StudyReport): DeidentifiedStudy {
  return { files: [], report, volumes: [], search: undefined, end: { kind: "next", stage: "retrieving" } };
}

/** CS. PS3.5 6.2. What is something else is counted, and not told. */
const MODALITY = /^[A-Z0-9_ ]{1,16}$/;

function volumesOf(received: readonly StagedInstance[]): DeidentifiedStudy["volumes"] {
  return [...Map.groupBy(received, ({ modality }) => (MODALITY.test(modality) ? modality : ""))].map(
    ([modality, instances]) => ({
      modality,
      instances: instances.length,
      sizeBytes: instances.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0),
    }),
  );
}

/** It was made all the same: what its original tells must not be found in the others. */
async function leftBehind(made: InstanceOutcome, study: StudyRun): Promise<InstanceOutcome> {
  if (made.kind === "excluded") return made;
  if (made.kind === "deidentified") {
    study.leaveOut(made.file.path);
    await rm(made.file.path, { force: true });
  }
  return { kind: "excluded", reason: "released-without" };
}

/** Set when a pseudonym stands for somebody else already. */
async function collisionOf(
  { services, project, write }: StepContext,
  links: readonly PseudonymLink[],
): Promise<StepResult | undefined> {
  const compared = links.filter(({ kind }) => kind === "study" || !project.mergePatients);
  const [kind] = await services.store.linkPseudonyms(project.name, project.keyId, compared);
  if (kind === undefined) return undefined;
  await write({ events: [{ event: "pseudonym stands for another original", detail: { kind } }] });
  return { kind: "end", state: "quarantined", code: "PSEUDONYM_COLLISION" };
}

/** Outcomes in the order of the instances, whichever was done first. */
async function deidentifyBatch(
  { job, services }: StepContext,
  batch: readonly StagedInstance[],
  firstNumber: number,
  of: {
    readonly countBySeries: ReadonlyMap<string, number>;
    readonly study: StudyRun;
    readonly studyFacts: StudyFacts | undefined;
  },
): Promise<readonly (readonly [StagedInstance, InstanceOutcome])[]> {
  const folder = services.outbox.folderOf(job.id);
  const tasks = batch.map(({ path, seriesInstanceUid }, index) => ({
    path,
    outputPath: join(folder, `${firstNumber + index}.dcm`),
    participantId: job.participantId,
    seriesInstanceCount: of.countBySeries.get(seriesInstanceUid) ?? 0,
    studyFacts: of.studyFacts,
  }));
  const outcomes = await of.study.instances(tasks);
  return batch.flatMap((instance, index) => {
    const outcome = outcomes[index];
    return outcome === undefined ? [] : [[instance, outcome] as const];
  });
}

async function receivedInstances(
  context: StepContext,
  ledger: readonly LedgerEntry[],
): Promise<readonly StagedInstance[] | undefined> {
  const staged = new Map(
    (await context.services.staging.list(studyOf(context.job))).map((instance) => [
      instance.sopInstanceUid as string,
      instance,
    ]),
  );
  // What was sent to us and is done cannot be fetched again: what came since is delivered without it.
  const isPushed = context.job.archive === INTAKE_ARCHIVE;
  const isPast = (entry: LedgerEntry): boolean =>
    isPushed && !staged.has(entry.sopInstanceUid) && (entry.deliveredAtMs ?? entry.excludedAtMs) !== undefined;
  const received = ledger.filter((entry) => entry.receivedAtMs !== undefined && !isPast(entry));
  const instances = received
    .map((entry) => staged.get(entry.sopInstanceUid))
    .filter((instance) => instance !== undefined);
  return instances.length === received.length ? instances : undefined;
}

/** Of the archive's whole study where it listed one, else of what arrived. */
function countInstances(ledger: readonly LedgerEntry[]): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  for (const { seriesInstanceUid } of ledger) counts.set(seriesInstanceUid, (counts.get(seriesInstanceUid) ?? 0) + 1);
  return counts;
}

function ledgerChange({ sopInstanceUid }: StagedInstance, outcome: InstanceOutcome): LedgerChange {
  if (outcome.kind === "deidentified") {
    return {
      kind: "deidentified",
      sopInstanceUid,
      pseudoSopInstanceUid: outcome.file.sopInstanceUid,
      sha256: outcome.file.sha256,
    };
  }
  if (outcome.kind === "excluded") return { kind: "excluded", sopInstanceUid, reason: outcome.reason };
  return { kind: "excluded", sopInstanceUid, reason: outcome.code, detail: outcome.reason };
}

/** Writes down what is not written yet. Undefined: the study may be delivered. */
async function endOf(
  context: StepContext,
  of: {
    readonly files: readonly DeidentifiedFile[];
    readonly rejections: readonly ErrorCode[];
    readonly links: readonly PseudonymLink[];
    readonly ledger: readonly LedgerChange[];
  },
): Promise<StepResult | undefined> {
  const { files, rejections, links, ledger } = of;
  const [rejection] = rejections;
  const [file] = files;
  if (rejection !== undefined && (file === undefined || context.project.profile.onReject === "study")) {
    await context.write({ ledger });
    return { kind: "end", state: "quarantined", code: rejection };
  }
  if (file === undefined) {
    await context.write({ ledger });
    return { kind: "end", state: "excluded", code: "NOTHING_LEFT_BY_FILTERS" };
  }
  const written = context.write({
    pseudonym: file.pseudonym,
    pseudoStudyInstanceUid: file.studyInstanceUid,
    link: linkOf(context, file),
    events: [{ event: "de-identified", detail: { instances: files.length, rejected: rejections.length } }],
    ledger,
  });
  const [collision] = await Promise.all([collisionOf(context, links), written]);
  return collision;
}

/** In the transaction that says what it became: no copy leaves without it. */
function linkOf({ job, project }: StepContext, { pseudonym, studyInstanceUid }: DeidentifiedFile): NewLink | undefined {
  const { patientId = "", accessionNumber = "" } = job;
  const identity = { patientId, accessionNumber, studyInstanceUid: studyOf(job) };
  return project.linkage?.seal(identity, { pseudonym, pseudoStudyInstanceUid: studyInstanceUid });
}
