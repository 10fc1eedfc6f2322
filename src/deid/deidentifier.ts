import { tmpdir } from "node:os";
import { dirname } from "node:path";
import type { DataSet, Part10File } from "../dicom/data-set.ts";
import { tags } from "../dicom/dictionary/tags.ts";
import { createElementMemory, type ElementMemory } from "../dicom/element-memory.ts";
import { type FileOperations, fileOperations } from "../dicom/file-output.ts";
import { readPart10File } from "../dicom/reader.ts";
import { parseSeriesInstanceUid, parseSopInstanceUid, parseStudyInstanceUid } from "../dicom/uid.ts";
import { textOf, textsOf, uidOf } from "../dicom/values.ts";
import { GatewayError } from "../errors/gateway-error.ts";
import { declareDeidentified } from "../staging/deidentified-file.ts";
import { createSemaphore } from "../units/semaphore.ts";
import { type ComposedOutput, composeOutput, pixelQuestionOf } from "./engine/compose-output.ts";
import { type SourceCopy, type WrittenOutput, writeOutput } from "./engine/output-file.ts";
import { Rejection } from "./engine/rejection.ts";
import { createTreatmentMemory, type TreatmentMemory } from "./engine/treated-elements.ts";
import { createWorkMemory, type WorkMemory } from "./engine/work-memory.ts";
import { filterInstance, type InstanceFilters } from "./filters.ts";
import { createSummaryMemory, type SummaryMemory } from "./instance-summary.ts";
import type { InstanceOutcome, RejectionCode } from "./outcome.ts";
import { createPixelDecoder, type ExternalCodec, type PixelDecoder } from "./pixels/external-codec.ts";
import { decidePixels } from "./pixels/pixel-policy.ts";
import type { Profile } from "./profiles/profile.ts";
import type { LookupTable } from "./pseudonyms/lookup-rows.ts";
import type { PixlSecrets } from "./pseudonyms/pixl-hash.ts";
import type { ProjectKey } from "./pseudonyms/project-key.ts";
import { createPseudonymizer, type Pseudonymizer } from "./pseudonyms/pseudonymizer.ts";
import { type StudyFacts, withStudyFacts } from "./study-facts.ts";
import { expectationsOf } from "./verification/expectations.ts";
import { createHarvestMemory, type Harvest, harvestIdentifiers } from "./verification/harvest.ts";
import { retainedKinds } from "./verification/identifier-kinds.ts";
import { createVerdictMemory, type VerdictMemory } from "./verification/known-verdicts.ts";
import type { StudyObserver } from "./verification/study-observer.ts";
import { type ReadingOptions, type Verification, verifyDeidentified } from "./verification/verify.ts";

export interface DeidentifierOptions {
  readonly profile: Profile;
  readonly key: ProjectKey;
  readonly filters: InstanceFilters;
  /** Put before keyed pseudonyms (not before participant ids), unless the profile says another one. */
  readonly pseudonymPrefix?: string;
  /** Replacements that the site made itself. */
  readonly lookup?: LookupTable | undefined;
  /** Makes pseudonyms of patients as PIXL does. */
  readonly pixl?: PixlSecrets | undefined;
  /** The site's programs for masks on compressed images. */
  readonly codecs?: readonly ExternalCodec[] | undefined;
  /**
   * Reads and writes on this thread, which waits for the disk: less work for each instance, and for threads that have nothing else to do;
   * never for a server's own. @default false
   */
  readonly blocking?: boolean | undefined;
}

export interface InstanceTask {
  /** A staged Part 10 file. */
  readonly path: string;
  /** Where the output goes; its folder is made when missing. What is there is replaced atomically. */
  readonly outputPath: string;
  /** Becomes the pseudonym. */
  readonly participantId: string | undefined;
  /** Instances of this one's series in the archive's whole study. */
  readonly seriesInstanceCount: number;
  /** Original Series Instance UIDs; undefined: all. */
  readonly requestedSeries?: ReadonlySet<string> | undefined;
  /** What the study says of itself that this one becomes part of. Undefined: what the object says. */
  readonly studyFacts?: StudyFacts | undefined;
  /** Verifies the outputs of a study together: none is proven before its verification has finished. Undefined: the output is judged by its own source alone. */
  readonly study?: StudyObserver | undefined;
}

/** De-identifies instances of one project. Output bytes are a function of input bytes, profile, key and engine version. */
export interface Deidentifier {
  /**
   * Writes `outputPath` only once the output is verified and whole.
   * @throws GatewayError PARTICIPANT_ID_INVALID; the signal's reason; errors of the disk as they are
   */
  instance(task: InstanceTask, signal: AbortSignal): Promise<InstanceOutcome>;
  /** Whether `outputPath` is what these rules and this key may make of `path`: the check every output passes before it is published. */
  verify(pair: Pick<InstanceTask, "path" | "outputPath" | "participantId">, signal: AbortSignal): Promise<Verification>;
}

/** Media Storage Directory. PS3.3 F. */
const DICOMDIR_SOP_CLASS = "1.2.840.10008.1.3.10";

interface Engine {
  readonly profile: Profile;
  readonly filters: InstanceFilters;
  readonly pseudonymizer: Pseudonymizer;
  readonly codecs: readonly ExternalCodec[];
  readonly io: FileAccess;
  /** What instances have in common, and what becomes of it. */
  readonly elements: ElementMemory;
  readonly isLasting: ElementMemory["holds"];
  readonly treatments: TreatmentMemory;
  readonly summaries: SummaryMemory;
  readonly verdicts: VerdictMemory;
}

/** How files are read and written, and the memory for it. */
interface FileAccess {
  readonly blocking: boolean;
  readonly files: FileOperations;
  readonly memory: WorkMemory;
}

/** @throws GatewayError PSEUDONYM_SOURCE_MISSING when the profile asks for a lookup table or PIXL's secrets and none is given */
export function createDeidentifier(options: DeidentifierOptions): Deidentifier {
  const engine = engineOf(options);
  return {
    instance: (task, signal) =>
      deidentify(engine, task, signal).catch((thrown: unknown) => ({ kind: "rejected", ...rejectionOf(thrown) })),
    verify: (pair, signal) =>
      verifyPair(engine, pair, signal).catch((thrown: unknown) => ({ ok: false, ...rejectionOf(thrown) })),
  };
}

/** What composing alone costs: see `createUnverifiedComposer`. */
export interface UnverifiedComposer {
  /** @returns bytes written. @throws Rejection; as `Deidentifier.instance` */
  compose(task: Pick<InstanceTask, "path" | "outputPath" | "participantId">, signal: AbortSignal): Promise<number>;
}

/**
 * Composes and writes the same bytes, and neither hashes them nor looks at what was written: for measuring the engine without its
 * verification, and for nothing else. What it writes is no `DeidentifiedFile`: nothing can deliver it, and no profile, setting or command
 * leads here.
 */
export function createUnverifiedComposer(options: DeidentifierOptions): UnverifiedComposer {
  const project = engineOf(options);
  const { files, memory: memories } = project.io;
  const harvests = createHarvestMemory();
  return {
    async compose({ path, outputPath, participantId }, signal) {
      await using file = await readOriginal(project, path);
      const engine = { ...project, profile: profileForDevice(project.profile, file.dataSet) };
      const harvest = harvestOf(engine, file, harvests);
      const output = await composeOutput(file, { ...engine, participantId, harvest, decoder: undefined, signal });
      const memory = memories.take();
      try {
        const written = await writeOutput(outputPath, output, {
          files,
          memory: memory.composed,
          signal,
          isHashed: false,
        });
        await files.rename(written.temporaryPath, outputPath);
        return written.sizeBytes;
      } finally {
        memories.give(memory);
      }
    },
  };
}

/** @throws as `createDeidentifier` */
function engineOf(options: DeidentifierOptions): Engine {
  const pseudonymizer = createPseudonymizer(options.key, {
    prefix: options.pseudonymPrefix,
    settings: options.profile.pseudonyms,
    lookup: options.lookup,
    pixl: options.pixl,
  });
  const { profile, filters, codecs = [], blocking = false } = options;
  const io = { blocking, files: fileOperations({ blocking }), memory: createWorkMemory({ blocking }) };
  const elements = createElementMemory();
  const memories = {
    ...{ elements, isLasting: elements.holds, treatments: createTreatmentMemory() },
    ...{ summaries: createSummaryMemory(elements.holds), verdicts: createVerdictMemory() },
  };
  return { profile, filters, pseudonymizer, codecs, io, ...memories };
}

/** @throws what is no matter of the object */
function rejectionOf(thrown: unknown): { readonly code: RejectionCode; readonly reason: string } {
  if (thrown instanceof Rejection) return { code: thrown.code, reason: thrown.reason };
  if (thrown instanceof GatewayError && thrown.code === "LOOKUP_ROW_MISSING") {
    return { code: thrown.code, reason: `no-lookup ${thrown.details.kind}` };
  }
  throw thrown;
}

/** Of the instances that this thread has under way one may be held in memory whole. */
const inflating = createSemaphore(1);

async function readOriginal({ io, elements }: Engine, path: string): Promise<Part10File & AsyncDisposable> {
  using held = new DisposableStack();
  const beforeInflating = async (): Promise<void> => void held.use(await inflating.acquire());
  const options = { blocking: io.blocking, memory: elements, beforeInflating };
  const file = await readPart10File(path, options).catch((thrown: unknown) => {
    throw thrown instanceof GatewayError ? new Rejection("INSTANCE_NOT_PARSABLE", thrown.code) : thrown;
  });
  const kept = held.move();
  return {
    ...file,
    async [Symbol.asyncDispose]() {
      await file[Symbol.asyncDispose]();
      kept.dispose();
    },
  };
}

async function verifyPair(
  project: Engine,
  pair: Pick<InstanceTask, "path" | "outputPath" | "participantId">,
  signal: AbortSignal,
): Promise<Verification> {
  const { path, outputPath, participantId } = pair;
  signal.throwIfAborted();
  await using file = await readOriginal(project, path);
  const engine = { ...project, profile: profileForDevice(project.profile, file.dataSet) };
  await using decoding = new AsyncDisposableStack();
  // The output's own folder is somebody else's.
  const decoder = decoderOf(engine, tmpdir(), decoding);
  const leftOut = judge(engine, file, { ...pair, seriesInstanceCount: Number.MAX_SAFE_INTEGER }, decoder);
  if (leftOut?.kind === "rejected") return { ok: false, code: leftOut.code, reason: leftOut.reason };
  const harvest = harvestOf(engine, file);
  const output = await composeOutput(file, { ...engine, participantId, harvest, decoder, signal });
  return await verify(engine, file, harvest, output, { ...pair, writtenPath: outputPath });
}

async function deidentify(project: Engine, task: InstanceTask, signal: AbortSignal): Promise<InstanceOutcome> {
  signal.throwIfAborted();
  const { blocking, files, memory: memories } = project.io;
  await using original = await readOriginal(project, task.path);
  const file = { ...original, dataSet: withStudyFacts(original.dataSet, task.studyFacts) };
  const engine = { ...project, profile: profileForDevice(project.profile, file.dataSet) };
  await using decoding = new AsyncDisposableStack();
  const decoder = decoderOf(engine, dirname(task.outputPath), decoding);
  const leftOut = judge(engine, file, task, decoder);
  if (leftOut !== undefined) {
    tellLeftOut(engine, file, task);
    return leftOut;
  }
  const harvest = harvestOf(engine, file, task.study?.memory);
  const orTold = <T>(working: Promise<T>): Promise<T> =>
    working.catch((thrown: unknown) => {
      tellHarvest(engine, file, harvest, task);
      throw thrown;
    });
  const composing = { ...engine, participantId: task.participantId, harvest, decoder, signal };
  const output = await orTold(composeOutput(file, composing));
  const memory = memories.take();
  try {
    const written = await orTold(writeOutput(task.outputPath, output, { files, memory: memory.composed, signal }));
    const reading = { blocking, memory: memory.read, spare: memory.composed };
    const toVerify = { ...task, writtenPath: written.temporaryPath, copies: written.copies, reading };
    const verification = await publishVerified(files, written, task, signal, () =>
      verify(engine, file, harvest, output, toVerify),
    );
    if (!verification.ok) return { kind: "rejected", code: verification.code, reason: verification.reason };
    return deidentified(engine, file.dataSet, output, task.outputPath, written, verification);
  } finally {
    memories.give(memory);
  }
}

/** Gives a verified output its name; nothing is left of one that is not. */
async function publishVerified(
  files: FileOperations,
  { temporaryPath }: WrittenOutput,
  { outputPath }: InstanceTask,
  signal: AbortSignal,
  verifyWritten: () => Promise<Verification>,
): Promise<Verification> {
  let isPublished = false;
  try {
    const verification = await verifyWritten();
    if (!verification.ok) return verification;
    signal.throwIfAborted();
    await files.rename(temporaryPath, outputPath);
    isPublished = true;
    return verification;
  } finally {
    if (!isPublished) await files.remove(temporaryPath);
  }
}

/** The profile with the rules of the object's own device: filter and verification take the same. */
function profileForDevice(profile: Profile, dataSet: DataSet): Profile {
  const device = {
    manufacturer: textOf(dataSet, tags.Manufacturer) ?? "",
    model: textOf(dataSet, tags.ManufacturerModelName) ?? "",
    software: textsOf(dataSet, tags.SoftwareVersions).join("\\"),
  };
  const { pixels } = profile;
  const masked = { ...pixels, default: "reject", allow: [] } as const;
  return { ...profile, rules: profile.rulesFor(device), pixels: profile.needsMask(device) ? masked : pixels };
}

/** Undefined: the site has no codecs. What it decodes lies in `scratch` until the stack is disposed. */
function decoderOf({ codecs }: Engine, scratch: string, until: AsyncDisposableStack): PixelDecoder | undefined {
  return codecs.length === 0 ? undefined : createPixelDecoder(codecs, scratch, until);
}

/** Filters and pixel policy, on the original. */
function judge(
  { filters, profile }: Engine,
  file: Part10File,
  task: InstanceTask,
  decoder: PixelDecoder | undefined,
): InstanceOutcome | undefined {
  const { dataSet } = file;
  const sopClassUid = uidOf(dataSet, tags.SOPClassUID) ?? uidOf(file.meta, tags.MediaStorageSOPClassUID) ?? "";
  if (sopClassUid === DICOMDIR_SOP_CLASS) return { kind: "excluded", reason: "dicomdir" };
  const facts = {
    seriesInstanceUid: uidOf(dataSet, tags.SeriesInstanceUID) ?? "",
    modality: textOf(dataSet, tags.Modality) ?? "",
    manufacturer: textOf(dataSet, tags.Manufacturer) ?? "",
    seriesDescription: textOf(dataSet, tags.SeriesDescription) ?? "",
    seriesNumber: textOf(dataSet, tags.SeriesNumber) ?? "",
    seriesInstanceCount: task.seriesInstanceCount,
    requestedSeries: task.requestedSeries,
  };
  const reason = filterInstance(filters, facts) ?? filterInstance(profile.filters, facts);
  if (reason !== undefined) return { kind: "excluded", reason };
  const decision = decidePixels(pixelQuestionOf(file, sopClassUid, profile, decoder));
  return decision.kind === "leave-out" ? decision.outcome : undefined;
}

/** What is verified, and how its file is read. */
interface WrittenFile extends Pick<InstanceTask, "study" | "outputPath"> {
  readonly writtenPath: string;
  readonly copies?: readonly SourceCopy[];
  readonly reading?: ReadingOptions;
}

function verify(
  engine: Engine,
  file: Part10File,
  harvest: Harvest,
  output: ComposedOutput,
  { study, outputPath: publishedPath, writtenPath: outputPath, copies, reading = {} }: WrittenFile,
): Promise<Verification> {
  const { rules } = engine.profile;
  const expectations = expectationsOf(output, harvest, engine, file.dataSet, copies);
  const task = { outputPath, rules, harvest, expectations, reading, verdicts: engine.verdicts };
  return study === undefined
    ? verifyDeidentified(task)
    : study.inspect({ ...task, publishedPath, original: file.dataSet });
}

/** What stays behind may be named in what goes: the study's search knows of it. What cannot be harvested is not in the way of the others. */
function tellLeftOut(engine: Engine, file: Part10File, task: InstanceTask): void {
  if (task.study === undefined) return;
  try {
    tellHarvest(engine, file, harvestOf(engine, file, task.study.memory), task);
  } catch (thrown) {
    if (!(thrown instanceof Rejection)) throw thrown;
  }
}

function tellHarvest({ profile }: Engine, { dataSet }: Part10File, harvest: Harvest, { study }: InstanceTask): void {
  study?.hear({ original: dataSet, harvest, retained: retainedKinds(profile.options) });
}

function harvestOf({ isLasting }: Engine, file: Part10File, memory = createHarvestMemory()): Harvest {
  try {
    return harvestIdentifiers(file.dataSet, { meta: file.meta, memory, isLasting });
  } catch (thrown) {
    if (thrown instanceof RangeError) throw new Rejection("DEIDENTIFICATION_UNPROVEN", "too-many-identifiers");
    throw thrown;
  }
}

function deidentified(
  { summaries }: Engine,
  source: DataSet,
  output: ComposedOutput,
  path: string,
  written: WrittenOutput,
  verification: Extract<Verification, { ok: true }>,
): InstanceOutcome {
  return {
    kind: "deidentified",
    file: declareDeidentified({
      pseudonym: output.pseudonym,
      studyInstanceUid: parseStudyInstanceUid(output.studyInstanceUid),
      seriesInstanceUid: parseSeriesInstanceUid(output.seriesInstanceUid),
      sopInstanceUid: parseSopInstanceUid(output.sopInstanceUid),
      sopClassUid: output.sopClassUid,
      transferSyntaxUid: output.transferSyntaxUid,
      path,
      sizeBytes: written.sizeBytes,
      sha256: written.sha256,
    }),
    originalPatientId: textOf(source, tags.PatientID)?.trim() ?? "",
    links: output.pseudonyms.links,
    summary: {
      ...summaries.of(source, output),
      verify: { hits: 0, sizeBytes: verification.sizeBytes, identifiers: verification.identifiers },
    },
  };
}
