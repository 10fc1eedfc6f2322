import type { DataSet } from "../../dicom/data-set.ts";
import { tags } from "../../dicom/dictionary/tags.ts";
import { uidOf } from "../../dicom/values.ts";
import type { Evidence } from "./evidence.ts";
import { createHarvestMemory, type Harvest, type HarvestMemory } from "./harvest.ts";
import { type IdentifierKind, strongerKind } from "./identifier-kinds.ts";
import { eachIdentifier, eachUid, type IdentifierSource } from "./needles.ts";
import type { Piece } from "./pieces.ts";
import type { StudyMember } from "./study-checks.ts";
import { inspectOutput, type Verification, type VerificationTask, verifyDeidentified } from "./verify.ts";

export interface StudyInstanceTask extends VerificationTask {
  /** Where the output will be once it is published; its name in findings. */
  readonly publishedPath: string;
  readonly original: DataSet;
}

/**
 * What the inspection of one instance tells its study, as plain data that can be passed between threads. Texts and pieces are told once by
 * each observer: the slices of a series mostly hold the same.
 */
export interface Observation {
  readonly studyInstanceUid: string;
  /** Identifiers that this observer had not told of, or as a weaker kind. */
  readonly identifiers: readonly (readonly [IdentifierSource, string, IdentifierKind])[];
  /** Pieces that this observer had not told of. */
  readonly newPieces: readonly ToldPiece[];
  /** Undefined: the output did not pass its inspection. */
  readonly member: ObservedMember | undefined;
  /** Of the inspection; 0 without a clock. */
  readonly durationMs: number;
}

/** A piece that is held, numbered by its observer. */
export interface ToldPiece extends Omit<Piece, "bytes"> {
  readonly number: number;
  /** Each byte as a character of Latin-1. */
  readonly latin1: string;
}

export interface ObservedMember extends StudyMember {
  /** Numbers of its pieces among all that the observer told of. */
  readonly pieces: readonly number[];
  /** Pieces that are read from the file. */
  readonly inFile: readonly Piece[];
}

/** Inspects outputs of one run where they are made; what is observed is put together by the run's verification. */
export interface StudyObserver {
  /** For the harvest of every instance of the run. */
  readonly memory: HarvestMemory;
  /** All that can be said of an output before the rest of its study is known. */
  inspect(task: StudyInstanceTask): Promise<Verification>;
  /** What an instance tells that does not leave: it must not stand in those that do. */
  hear(instance: UndeliveredInstance): void;
}

interface UndeliveredInstance extends Pick<StudyInstanceTask, "original" | "harvest"> {
  /** Kinds of identifiers that the profile's options let stay. */
  readonly retained: ReadonlySet<IdentifierKind>;
}

/** @param tell called once for each inspection, when it is over */
export function createStudyObserver(
  tell: (observation: Observation) => void,
  nowMs: () => number = () => 0,
): StudyObserver {
  const toldByStudy = new Map<string, Told>();
  const toldOf = (studyInstanceUid: string): Told => {
    const told = toldByStudy.get(studyInstanceUid) ?? {
      kinds: { identifiers: new Map(), spellings: new Map(), rawValues: new Map() },
      pieces: new Map(),
      last: undefined,
    };
    toldByStudy.set(studyInstanceUid, told);
    return told;
  };
  const newlyTold = (
    told: Told,
    harvest: Harvest,
    retained: ReadonlySet<IdentifierKind>,
  ): Observation["identifiers"] => {
    const identifiers: [IdentifierSource, string, IdentifierKind][] = [];
    const visit = (source: IdentifierSource, text: string, kind: IdentifierKind): void => {
      const before = told.kinds[source].get(text);
      if (before === kind || strongerKind(before, kind) === before) return;
      told.kinds[source].set(text, kind);
      identifiers.push([source, text, kind]);
    };
    // Mostly the instance before had the very same but for its UIDs.
    const isToldBut = told.last?.identifiers === harvest.identifiers && told.last.retained === retained;
    (isToldBut ? eachUid : eachIdentifier)(harvest, retained, visit);
    told.last = { identifiers: harvest.identifiers, retained };
    return identifiers;
  };
  return {
    memory: createHarvestMemory(),
    hear({ original, harvest, retained }) {
      const studyInstanceUid = uidOf(original, tags.StudyInstanceUID) ?? "";
      const identifiers = newlyTold(toldOf(studyInstanceUid), harvest, retained);
      tell({ studyInstanceUid, identifiers, newPieces: [], member: undefined, durationMs: 0 });
    },
    async inspect(task) {
      const original = {
        studyInstanceUid: uidOf(task.original, tags.StudyInstanceUID) ?? "",
        seriesInstanceUid: uidOf(task.original, tags.SeriesInstanceUID) ?? "",
      };
      const startMs = nowMs();
      const inspection = await inspectOutput(task);
      const told = toldOf(original.studyInstanceUid);
      const identifiers = newlyTold(told, task.harvest, task.expectations.retained);
      const newPieces: ToldPiece[] = [];
      const member = inspection.ok
        ? memberOf(task.publishedPath, original, inspection.evidence, told.pieces, newPieces)
        : undefined;
      const durationMs = nowMs() - startMs;
      tell({ studyInstanceUid: original.studyInstanceUid, identifiers, newPieces, member, durationMs });
      return inspection.ok ? { ok: true, sizeBytes: inspection.sizeBytes, identifiers: 0 } : inspection;
    },
  };
}

/** Of an instance that is judged by its own source and never leaves: the study hears what it tells, and nothing of its output. */
export function observerOfOneAlone({ memory, hear }: Pick<StudyObserver, "memory" | "hear">): StudyObserver {
  return {
    memory,
    hear,
    inspect(task) {
      hear({ original: task.original, harvest: task.harvest, retained: task.expectations.retained });
      return verifyDeidentified(task);
    },
  };
}

/** What an observer has told of a study. */
interface Told {
  readonly kinds: Readonly<Record<IdentifierSource, Map<string, IdentifierKind>>>;
  readonly pieces: Map<string, number>;
  last: { readonly identifiers: Harvest["identifiers"]; readonly retained: ReadonlySet<IdentifierKind> } | undefined;
}

function memberOf(
  outputPath: string,
  original: StudyMember["original"],
  { pieces, ...evidence }: Evidence,
  told: Map<string, number>,
  newPieces: ToldPiece[],
): ObservedMember {
  const numbers: number[] = [];
  for (const { bytes, ...piece } of pieces) {
    if (bytes === undefined) continue;
    const latin1 = bytes.toString("latin1");
    const key = pieceKey(piece, latin1);
    const number = told.get(key) ?? told.size;
    numbers.push(number);
    if (number < told.size) continue;
    told.set(key, number);
    newPieces.push({ ...piece, number, latin1 });
  }
  return { outputPath, original, evidence, pieces: numbers, inFile: pieces.filter(({ bytes }) => bytes === undefined) };
}

/** The same for pieces in which the same is found. */
export function pieceKey({ how, place }: Pick<Piece, "how" | "place">, latin1: string): string {
  return `${how} ${place} ${latin1}`;
}
