import type { DataSet } from "../../dicom/data-set.ts";
import { tags } from "../../dicom/dictionary/tags.ts";
import { uidOf } from "../../dicom/values.ts";
import type { RejectionCode } from "../outcome.ts";
import type { Evidence } from "./evidence.ts";
import { type FileWindow, openWindow } from "./file-window.ts";
import type { HarvestMemory } from "./harvest.ts";
import { createIdentifiers, type Identifiers } from "./needles.ts";
import { type Piece, searchPieces } from "./pieces.ts";
import { checkStudy, type StudyMember } from "./study-checks.ts";
import { inspectOutput, type Verification, type VerificationTask } from "./verify.ts";

/** An output that its study gives away, though nothing was wrong with it alone. */
export interface StudyFinding {
  readonly outputPath: string;
  readonly code: RejectionCode;
  readonly reason: string;
}

export interface StudyVerdict {
  /** At most one for each output: it must not be delivered. */
  readonly findings: readonly StudyFinding[];
  /** What is worth telling, by note: `reference-not-delivered`. */
  readonly notes: ReadonlyMap<string, number>;
  /** Of all inspections and the search; undefined without a clock. */
  readonly durationMs: number | undefined;
}

export interface StudyInstanceTask extends VerificationTask {
  /** Where the output will be once it is published; its name in findings. */
  readonly publishedPath: string;
  readonly original: DataSet;
}

/**
 * Verifies the outputs of one run together: what any instance of a study tells is searched for in all of its outputs, also in those that
 * were made before. An output is proven only when `finish` has not named it.
 */
export interface StudyVerification {
  /** For the harvest of every instance of the run. */
  readonly memory: HarvestMemory;
  /** All that can be said of an output before the rest of its study is known. */
  inspect(task: StudyInstanceTask): Promise<Verification>;
  /** The search, and what must hold between the outputs of a study. Nothing may be inspected afterwards. */
  finish(signal: AbortSignal): Promise<StudyVerdict>;
}

interface Member extends StudyMember {
  /** Numbers of its pieces in the study's list: slices of a series mostly hold the same. */
  readonly pieces: readonly number[];
  /** Pieces that are read from the file. */
  readonly inFile: readonly Piece[];
}

interface Study {
  readonly identifiers: Identifiers;
  readonly members: Member[];
  readonly pieceNumbers: Map<string, number>;
  readonly pieces: Piece[];
}

/** @param nowMs tells how long verification takes */
export function createStudyVerification({ nowMs }: { readonly nowMs?: () => number } = {}): StudyVerification {
  let durationMs = 0;
  const timed = async <T>(work: () => Promise<T>): Promise<T> => {
    const startMs = nowMs?.() ?? 0;
    const result = await work();
    durationMs += (nowMs?.() ?? 0) - startMs;
    return result;
  };
  const studies = new Map<string, Study>();
  const studyOf = (studyInstanceUid: string): Study => {
    const known = studies.get(studyInstanceUid);
    if (known !== undefined) return known;
    const study: Study = { identifiers: createIdentifiers(), members: [], pieceNumbers: new Map(), pieces: [] };
    studies.set(studyInstanceUid, study);
    return study;
  };
  return {
    memory: new Map(),
    async inspect(task) {
      const original = {
        studyInstanceUid: uidOf(task.original, tags.StudyInstanceUID) ?? "",
        seriesInstanceUid: uidOf(task.original, tags.SeriesInstanceUID) ?? "",
      };
      const study = studyOf(original.studyInstanceUid);
      const before = study.identifiers.count;
      study.identifiers.add(task.harvest, task.expectations.retained);
      const inspection = await timed(() => inspectOutput(task));
      if (!inspection.ok) return inspection;
      study.members.push(memberOf(study, task.publishedPath, original, inspection.evidence));
      return { ok: true, sizeBytes: inspection.sizeBytes, identifiers: study.identifiers.count - before };
    },
    async finish(signal) {
      const findings = new Map<string, StudyFinding>();
      for (const study of studies.values()) {
        for (const finding of await timed(() => searchStudy(study, signal))) findings.set(finding.outputPath, finding);
      }
      const members = [...studies.values()].flatMap((study) => study.members);
      const checks = checkStudy(members.filter(({ outputPath }) => !findings.has(outputPath)));
      for (const { outputPath, reason } of checks.failures) {
        if (findings.has(outputPath)) continue;
        findings.set(outputPath, { outputPath, code: "DEIDENTIFICATION_UNPROVEN", reason });
      }
      studies.clear();
      const tookMs = nowMs === undefined ? undefined : durationMs;
      return { findings: [...findings.values()], notes: checks.notes, durationMs: tookMs };
    },
  };
}

function memberOf(
  study: Study,
  outputPath: string,
  original: StudyMember["original"],
  { pieces, ...facts }: Evidence,
): Member {
  const held = pieces.flatMap((piece) => (piece.bytes === undefined ? [] : [numberOf(study, piece, piece.bytes)]));
  const inFile = pieces.filter(({ bytes }) => bytes === undefined);
  return { outputPath, original, evidence: facts, pieces: held, inFile };
}

function numberOf(study: Study, piece: Piece, bytes: Buffer): number {
  const key = `${piece.how} ${piece.place} ${bytes.toString("latin1")}`;
  const known = study.pieceNumbers.get(key);
  if (known !== undefined) return known;
  study.pieces.push(piece);
  study.pieceNumbers.set(key, study.pieces.length - 1);
  return study.pieces.length - 1;
}

async function searchStudy(study: Study, signal: AbortSignal): Promise<StudyFinding[]> {
  const { identifiers, members } = study;
  const noFile = (): Promise<never> => Promise.reject(new RangeError("a held piece was not held"));
  try {
    const reasons = new Map<number, string>();
    for (const [number, piece] of study.pieces.entries()) {
      const hit = await searchPieces([piece], identifiers, noFile);
      if (hit !== undefined) reasons.set(number, `${hit.kind} in ${hit.place}`);
    }
    const findings: StudyFinding[] = [];
    for (const member of members) {
      signal.throwIfAborted();
      const number = member.pieces.find((each) => reasons.has(each));
      const reason = number === undefined ? await searchFile(member, identifiers) : reasons.get(number);
      if (reason !== undefined) findings.push({ outputPath: member.outputPath, code: "IDENTIFIER_FOUND", reason });
    }
    return findings;
  } catch (thrown) {
    if (!(thrown instanceof RangeError)) throw thrown;
    const [code, reason] = ["DEIDENTIFICATION_UNPROVEN", "too-many-identifiers"] as const;
    return members.map(({ outputPath }) => ({ outputPath, code, reason }));
  }
}

async function searchFile({ inFile, outputPath }: Member, identifiers: Identifiers): Promise<string | undefined> {
  if (inFile.length === 0) return undefined;
  await using window: FileWindow = await openWindow(outputPath);
  const hit = await searchPieces(inFile, identifiers, () => Promise.resolve(window));
  return hit === undefined ? undefined : `${hit.kind} in ${hit.place}`;
}
