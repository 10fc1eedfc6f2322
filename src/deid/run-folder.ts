import { realpath, rm } from "node:fs/promises";
import { availableParallelism } from "node:os";
import { join, sep } from "node:path";
import { fileOperations } from "../dicom/file-output.ts";
import { GatewayError } from "../errors/gateway-error.ts";
import type { ErrorCode } from "../errors/registry.ts";
import type { DeidentifiedFile } from "../staging/deidentified-file.ts";
import { readStudyReports, reportedFiles, STUDY_REPORT, studyReportText } from "../staging/study-folder-report.ts";
import { ahead } from "../units/ahead.ts";
import { writeFileDurably } from "../units/durable-files.ts";
import { makeFolders } from "../units/make-folders.ts";
import type { DeidentifierOptions } from "./deidentifier.ts";
import {
  countObjects,
  type FolderInput,
  filesBelow,
  type StudyInput,
  type StudyInputs,
  sortByStudy,
} from "./folder-inputs.ts";
import type { InstanceOutcome } from "./outcome.ts";
import { openWorkspace } from "./run-workspace.ts";
import { factsOfSharedStudies, type StudyFacts } from "./study-facts.ts";
import { createStudyReport, type StudyReport, type StudyReportDocument } from "./study-report.ts";
import type { StudyVerdict } from "./verification/study-verification.ts";
import { createStudyDeidentifier, type StudyDeidentifier } from "./workers/study-run.ts";
import { createWorkerPool } from "./workers/worker-pool.ts";

export interface FolderTask extends Omit<DeidentifierOptions, "filters"> {
  readonly filters?: DeidentifierOptions["filters"];
  /** A folder with files, in folders or not; links are not followed. */
  readonly input: string;
  /** Made when missing; what an earlier run left in a file's place is replaced. */
  readonly output: string;
  /** A label: the first folder of the output, and in the reports. */
  readonly project: string;
  readonly signal: AbortSignal;
  readonly onProgress?: (done: number, total: number) => void;
  /**
   * Threads that share the work where there is enough of it; 0: this one does all. With `blocking` this one works too.
   * @default os.availableParallelism(), this one counted where it works
   */
  readonly threads?: number;
}

/** An input of which nothing was let out. */
export interface FolderFailure extends FolderInput {
  readonly code: ErrorCode;
  /** A stable word, with a tag where one is to blame; no value of the object. */
  readonly reason: string;
}

/** What became of a folder: counts and codes. Only `path` of a failure may hold an identifier. */
export interface FolderResult {
  /** Folders that cannot be looked into are counted with them. */
  readonly files: number;
  /** Symbolic links, and what is no file: not followed. */
  readonly links: number;
  readonly studies: {
    readonly total: number;
    readonly delivered: number;
    readonly excluded: number;
    readonly quarantined: number;
  };
  readonly instances: {
    readonly delivered: number;
    readonly excluded: number;
    readonly rejected: number;
    /** Whole and verified, but held back with the rest of their study. */
    readonly withheld: number;
    readonly unreadable: number;
    /** The same instance a second time, byte for byte. */
    readonly duplicates: number;
  };
  readonly failures: readonly FolderFailure[];
  /** Failures beyond those listed. */
  readonly unlistedFailures: number;
  /** Instances left out on purpose, by reason. */
  readonly exclusions: Readonly<Record<string, number>>;
  /** Objects of earlier runs that stay in the project's folder of the output: this run put nothing in their places. */
  readonly earlier: number;
}

const PROJECT_FOLDER = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/;
/** A few files are done before a thread has started. */
const FEWEST_FILES_FOR_THREADS = 16;
const STUDIES_AHEAD = 4;
const LISTED_FAILURES = 10_000;
const FILE_MODE = 0o644;

/**
 * De-identifies every file below a folder into `<output>/<project>/<pseudonym>/<study>/<series>/<instance>.dcm`, study by study, each with a
 * report. A bad file does not stop the others; whether it stops its study is the profile's `onReject`.
 * @throws GatewayError DEID_FOLDERS_OVERLAP, DEID_TOO_MANY_FILES, FILE_UNREADABLE, NO_FILES_FOUND, USAGE_INVALID for a project that is no folder name,
 * PSEUDONYM_SOURCE_MISSING; the signal's reason; errors of the disk as they are
 */
export async function deidentifyFolder(task: FolderTask): Promise<FolderResult> {
  if (!PROJECT_FOLDER.test(task.project)) {
    throw new GatewayError("USAGE_INVALID", {
      problem: "a project is a folder name of letters, digits, '.', '_' and '-'",
    });
  }
  const { input, output, project, signal, onProgress, threads = usualThreads(task), ...engine } = task;
  await using pool = threads === 0 ? undefined : createWorkerPool({ threads });
  await using deidentifier = createStudyDeidentifier({ ...engine, filters: engine.filters ?? {} }, pool);
  await makeFolders(output);
  await refuseOverlap(task);
  const { files, closed, links } = await filesBelow(input, signal);
  const total = files.length + closed.length;
  if (total === 0) throw new GatewayError("NO_FILES_FOUND", links === 0 ? {} : { links });
  if (files.length >= FEWEST_FILES_FOR_THREADS) void pool?.start();
  const sorted = await sortByStudy(files, { signal, blocking: task.blocking });
  const { studies } = sorted;
  const unreadable = [...closed, ...sorted.unreadable];
  const shared = task.pixl === undefined ? undefined : await factsOfSharedStudies(studies, signal);
  const tally = createTally({ files: total, links, studies: studies.filter(({ isStudy }) => isStudy).length });
  for (const one of unreadable) tally.unreadable(one);

  await using workspace = await openWorkspace(output);
  let done = unreadable.length;
  const run: Run = {
    task,
    deidentifier,
    shared,
    temporary: workspace.path,
    tally,
    advance: () => onProgress?.(++done, total),
  };
  onProgress?.(done, total);
  // One study's instances are begun while the last ones of another are still under way.
  const outcomes = ahead(studies, pool === undefined ? 1 : STUDIES_AHEAD, (study) => outcomesOf(run, study));
  for await (const study of outcomes) await concludeStudy(run, study);
  const result = tally.result();
  const present = await countObjects(join(output, project), signal);
  return { ...result, earlier: Math.max(0, present - result.instances.delivered) };
}

function usualThreads({ blocking }: FolderTask): number {
  return Math.max(1, availableParallelism() - (blocking === true ? 1 : 0));
}

interface Run {
  readonly task: FolderTask;
  readonly deidentifier: StudyDeidentifier;
  /** Of studies that become one. */
  readonly shared: ReadonlyMap<StudyInputs, StudyFacts> | undefined;
  readonly temporary: string;
  readonly tally: FolderTally;
  readonly advance: () => void;
}

/** De-identified files would be taken for originals by the next run, or the other way round. */
async function refuseOverlap({ input, output }: FolderTask): Promise<void> {
  const [from, to] = await Promise.all([realpath(input), realpath(output)]);
  const holds = (folder: string, path: string): boolean =>
    path === folder || path.startsWith(folder.endsWith(sep) ? folder : folder + sep);
  if (holds(from, to) || holds(to, from)) throw new GatewayError("DEID_FOLDERS_OVERLAP");
}

interface StudyOutcomes {
  readonly study: StudyInputs;
  readonly outcomes: readonly InstanceOutcome[];
  readonly verdict: StudyVerdict;
}

async function concludeStudy(run: Run, { study, outcomes, verdict }: StudyOutcomes): Promise<void> {
  const { task, tally } = run;
  const report = createStudyReport({ project: task.project, profile: task.profile, keyId: task.key.id });
  report.conclude(verdict);
  const files = new Map<string, DeidentifiedFile>();
  for (const [index, outcome] of outcomes.entries()) {
    const input = study.inputs[index];
    if (input !== undefined) sortOut(outcome, input, files, report, tally);
  }
  const document = report.document();
  if (study.isStudy) tally.study(document, files.size);
  const { remove } = fileOperations(task);
  if (document.outcome === "delivered") await publish(task, [...files.values()], document, run.temporary);
  else for (const { path } of files.values()) await remove(path);
}

async function outcomesOf(
  { task, deidentifier, shared, temporary, advance }: Run,
  study: StudyInputs,
): Promise<StudyOutcomes> {
  const counts = new Map<string, number>();
  for (const { seriesInstanceUid: uid, isRepeated } of study.inputs)
    if (!isRepeated) counts.set(uid, (counts.get(uid) ?? 0) + 1);
  // Without a clock: the report of a study is the same in every run.
  using run = deidentifier.study({ signal: task.signal });
  const tasks = study.inputs.map(({ path, number, seriesInstanceUid, sizeBytes, isRepeated }) => ({
    path,
    sizeBytes,
    outputPath: join(temporary, `${number}.dcm`),
    participantId: undefined,
    seriesInstanceCount: counts.get(seriesInstanceUid) ?? 1,
    // A repetition is compared with the first one and never goes itself.
    isAlone: isRepeated,
    studyFacts: shared?.get(study),
  }));
  const outcomes = await run.instances(tasks, advance);
  const verdict = await run.finish();
  const given = new Map(verdict.findings.map((finding) => [finding.outputPath, finding]));
  const judged: InstanceOutcome[] = [];
  for (const outcome of outcomes) {
    const finding = outcome.kind === "deidentified" ? given.get(outcome.file.path) : undefined;
    judged.push(finding === undefined ? outcome : { kind: "rejected", code: finding.code, reason: finding.reason });
    // An earlier run, which had less of the study to go by, may have let it go.
    if (finding !== undefined && outcome.kind === "deidentified")
      await rm(placeOf(task, outcome.file), { force: true });
  }
  return { study, outcomes: judged, verdict };
}

/** One instance goes once: a copy is counted, another object of the same UID is refused. */
function sortOut(
  outcome: InstanceOutcome,
  input: StudyInput,
  files: Map<string, DeidentifiedFile>,
  report: StudyReport,
  tally: FolderTally,
): void {
  const isCopy =
    outcome.kind === "deidentified" && files.get(outcome.file.sopInstanceUid)?.sha256 === outcome.file.sha256;
  if (input.isRepeated && isCopy) {
    tally.duplicate();
    return;
  }
  const judged: InstanceOutcome =
    input.isRepeated && outcome.kind === "deidentified"
      ? { kind: "rejected", code: "INSTANCE_DUPLICATE", reason: "sop-instance-uid-twice" }
      : outcome;
  report.add(judged);
  tally.instance(judged, input);
  if (judged.kind === "deidentified") files.set(judged.file.sopInstanceUid, judged.file);
}

function studyFolderOf({ output, project }: FolderTask, { pseudonym, studyInstanceUid }: DeidentifiedFile): string {
  return join(output, project, pseudonym, studyInstanceUid);
}

function placeOf(task: FolderTask, file: DeidentifiedFile): string {
  return join(studyFolderOf(task, file), file.seriesInstanceUid, `${file.sopInstanceUid}.dcm`);
}

async function publish(
  task: FolderTask,
  files: readonly DeidentifiedFile[],
  document: StudyReportDocument,
  temporaryFolder: string,
): Promise<void> {
  const [first] = files;
  if (first === undefined) return;
  const { pseudonym, studyInstanceUid } = first;
  const folder = studyFolderOf(task, first);
  const earlier = await readStudyReports(folder);
  const operations = fileOperations(task);
  for (const uid of new Set(files.map(({ seriesInstanceUid }) => seriesInstanceUid)))
    await makeFolders(join(folder, uid));
  for (const file of files) await operations.rename(file.path, placeOf(task, file));
  const report = { ...document, pseudonym, studyInstanceUid, files: reportedFiles(files) };
  const options = { mode: FILE_MODE, temporaryFolder };
  await writeFileDurably(join(folder, STUDY_REPORT), studyReportText(earlier, report), options);
}

interface FolderTally {
  unreadable(failure: FolderFailure): void;
  instance(outcome: InstanceOutcome, input: FolderInput): void;
  duplicate(): void;
  /** @param whole instances that could go, were it not for the others */
  study(document: StudyReportDocument, whole: number): void;
  result(): Omit<FolderResult, "earlier">;
}

function createTally(found: Pick<FolderResult, "files" | "links"> & { readonly studies: number }): FolderTally {
  const { files, links } = found;
  const studies = { total: found.studies, delivered: 0, excluded: 0, quarantined: 0 };
  const instances = { delivered: 0, excluded: 0, rejected: 0, withheld: 0, unreadable: 0, duplicates: 0 };
  const failures: FolderFailure[] = [];
  const exclusions = new Map<string, number>();
  let unlistedFailures = 0;
  const fail = (failure: FolderFailure): void => {
    if (failures.length < LISTED_FAILURES) failures.push(failure);
    else unlistedFailures += 1;
  };
  return {
    unreadable({ number, path, code, reason }) {
      instances.unreadable += 1;
      fail({ number, path, code, reason });
    },
    instance(outcome, { number, path }) {
      if (outcome.kind === "excluded") {
        instances.excluded += 1;
        exclusions.set(outcome.reason, (exclusions.get(outcome.reason) ?? 0) + 1);
      }
      if (outcome.kind !== "rejected") return;
      instances.rejected += 1;
      fail({ number, path, code: outcome.code, reason: outcome.reason });
    },
    duplicate() {
      instances.duplicates += 1;
    },
    study(document, whole) {
      studies[document.outcome] += 1;
      instances[document.outcome === "delivered" ? "delivered" : "withheld"] += whole;
    },
    result: () => ({
      files,
      links,
      studies,
      instances,
      failures: failures.sort((a, b) => a.number - b.number),
      unlistedFailures,
      exclusions: Object.fromEntries([...exclusions].sort()),
    }),
  };
}
