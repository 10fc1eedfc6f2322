import type { RejectionCode } from "../outcome.ts";
import { createIdentifiers, type Identifiers } from "./needles.ts";
import { type Piece, searchPieces } from "./pieces.ts";
import { type FileHit, type FileToSearch, searchFiles } from "./search-files.ts";
import { checkStudy } from "./study-checks.ts";
import {
  createStudyObserver,
  type Observation,
  type ObservedMember,
  pieceKey,
  type StudyObserver,
} from "./study-observer.ts";

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
  /** Identifiers that were found where they are allowed, such as `name in (0008,1030)`, with the number of outputs. */
  readonly accepted: ReadonlyMap<string, number>;
  /** What was searched for, in all outputs. */
  readonly identifiers: number;
  /** Of all inspections and the search; undefined without a clock. */
  readonly durationMs: number | undefined;
  /** Searches other files for what the run's sources tell, such as what was made of the outputs since. @throws RangeError as `FileSearch` */
  readonly search: StudySearch;
}

export type StudySearch = (files: readonly FileToSearch[], signal: AbortSignal) => Promise<readonly FileHit[]>;

/**
 * Verifies the outputs of one run together: what any instance of a study tells is searched for in all of its outputs, also in those that
 * were made before. An output is proven only when `finish` has not named it. The order of the instances makes no difference.
 */
export interface StudyVerification extends StudyObserver {
  /** Where the observations of one other observer go. */
  listen(): (observation: Observation) => void;
  /** This output is not delivered: what its source tells is searched for in the others; nothing is sought in it. */
  leaveOut(outputPath: string): void;
  /** The search, and what must hold between the outputs of a study. Nothing may be inspected or observed afterwards. */
  finish(signal: AbortSignal): Promise<StudyVerdict>;
}

export interface StudyVerificationOptions {
  /** Tells how long verification takes. */
  readonly nowMs?: (() => number) | undefined;
  readonly searchFiles?: FileSearch | undefined;
  /** Where an identifier that is found holds nothing back: places such as "(0040,A730)/(0040,A160)". Everything else is checked there too. */
  readonly allowedPlaces?: ReadonlySet<string> | undefined;
}

/** @throws RangeError when there are too many identifiers */
export type FileSearch = (
  files: readonly FileToSearch[],
  identifiers: Identifiers,
  signal: AbortSignal,
) => Promise<readonly FileHit[]>;

interface Study {
  readonly identifiers: Identifiers;
  /** Their pieces are numbers in the study's list. */
  readonly members: ObservedMember[];
  readonly pieceNumbers: Map<string, number>;
  readonly pieces: Piece[];
}

export function createStudyVerification(options: StudyVerificationOptions = {}): StudyVerification {
  const { nowMs } = options;
  let durationMs = 0;
  const studies = new Map<string, Study>();
  const leftOut = new Set<string>();
  const listen = (): ((observation: Observation) => void) => {
    const numbers = new Map<string, number[]>();
    return (observation) => {
      durationMs += observation.durationMs;
      const { studyInstanceUid } = observation;
      const study = studies.get(studyInstanceUid) ?? newStudy();
      studies.set(studyInstanceUid, study);
      const toldNumbers = numbers.get(studyInstanceUid) ?? [];
      numbers.set(studyInstanceUid, toldNumbers);
      enter(study, observation, toldNumbers);
    };
  };
  return {
    ...createStudyObserver(listen(), nowMs),
    listen,
    leaveOut: (outputPath) => void leftOut.add(outputPath),
    async finish(signal) {
      const startMs = nowMs?.() ?? 0;
      const findings = new Map<string, StudyFinding>();
      const all = [...studies.values()].map((study) => ({
        ...study,
        members: study.members.filter(({ outputPath }) => !leftOut.has(outputPath)),
      }));
      const search = { files: options.searchFiles ?? searchFiles, allowed: options.allowedPlaces ?? new Set<string>() };
      const accepted = new Map<string, number>();
      for (const study of all) {
        for (const finding of await searchStudy(study, search, accepted, signal))
          findings.set(finding.outputPath, finding);
      }
      const members = all.flatMap((study) => study.members).sort(byPath);
      const checks = checkStudy(members.filter(({ outputPath }) => !findings.has(outputPath)));
      for (const { outputPath, reason } of checks.failures) {
        if (findings.has(outputPath)) continue;
        findings.set(outputPath, { outputPath, code: "DEIDENTIFICATION_UNPROVEN", reason });
      }
      const identifiers = all.reduce((sum, study) => sum + study.identifiers.count, 0);
      const told = all.map((study) => study.identifiers);
      studies.clear();
      const tookMs = nowMs === undefined ? undefined : durationMs + nowMs() - startMs;
      const verdict = { findings: [...findings.values()], notes: checks.notes, accepted, identifiers };
      return { ...verdict, durationMs: tookMs, search: searchOf(told, search.files) };
    },
  };
}

/** What is held is searched here: bytes of it do not pass between threads. */
function searchOf(studies: readonly Identifiers[], search: FileSearch): StudySearch {
  const partOf = (files: readonly FileToSearch[], isHeld: boolean): readonly FileToSearch[] =>
    files
      .map(({ outputPath, inFile }) => ({
        outputPath,
        inFile: inFile.filter(({ bytes }) => (bytes !== undefined) === isHeld),
      }))
      .filter(({ inFile }) => inFile.length > 0);
  return async (files, signal) => {
    const hits: FileHit[] = [];
    for (const identifiers of studies) {
      for (const hit of await searchFiles(partOf(files, true), identifiers, signal)) hits.push(hit);
      for (const hit of await search(partOf(files, false), identifiers, signal)) hits.push(hit);
    }
    return hits;
  };
}

function newStudy(): Study {
  return { identifiers: createIdentifiers(), members: [], pieceNumbers: new Map(), pieces: [] };
}

/** @param numbers of the observer's pieces in the study's list, by the observer's own */
function enter(study: Study, { identifiers, newPieces, member }: Observation, numbers: number[]): void {
  for (const [source, text, kind] of identifiers) study.identifiers.add(source, text, kind);
  for (const { number, latin1, ...piece } of newPieces) {
    const key = pieceKey(piece, latin1);
    const known =
      study.pieceNumbers.get(key) ?? study.pieces.push({ ...piece, bytes: Buffer.from(latin1, "latin1") }) - 1;
    study.pieceNumbers.set(key, known);
    numbers[number] = known;
  }
  if (member === undefined) return;
  const pieces = member.pieces.map((number) => {
    const known = numbers[number];
    if (known === undefined) throw new TypeError("a piece that was never told");
    return known;
  });
  study.members.push({ ...member, pieces });
}

/** As the files are numbered. */
function byPath({ outputPath: a }: ObservedMember, { outputPath: b }: ObservedMember): number {
  return a.length - b.length || (a < b ? -1 : 1);
}

interface Search {
  readonly files: FileSearch;
  readonly allowed: ReadonlySet<string>;
}

/** @param accepted is added to */
async function searchStudy(
  study: Study,
  { files, allowed }: Search,
  accepted: Map<string, number>,
  signal: AbortSignal,
): Promise<StudyFinding[]> {
  const { identifiers, members } = study;
  const accept = (reason: string): void => void accepted.set(reason, (accepted.get(reason) ?? 0) + 1);
  try {
    const found = await searchHeld(study);
    const isAllowed = (number: number): boolean => allowed.has(study.pieces[number]?.place ?? "");
    const reasons = new Map([...found].filter(([number]) => !isAllowed(number)));
    const hits = new Map<string, string>();
    const unsearched: FileToSearch[] = [];
    const tolerated: FileToSearch[] = [];
    for (const { outputPath, pieces, inFile } of members) {
      const allowedHere = pieces.filter(isAllowed).flatMap((number) => found.get(number) ?? []);
      for (const reason of new Set(allowedHere)) accept(reason);
      const number = pieces.find((each) => reasons.has(each));
      if (number !== undefined) hits.set(outputPath, reasons.get(number) ?? "");
      else
        addParts(
          unsearched,
          outputPath,
          inFile.filter(({ place }) => !allowed.has(place)),
        );
      addParts(
        tolerated,
        outputPath,
        inFile.filter(({ place }) => allowed.has(place)),
      );
    }
    for (const { outputPath, reason } of await files(unsearched, identifiers, signal)) hits.set(outputPath, reason);
    for (const { reason } of await files(tolerated, identifiers, signal)) accept(reason);
    return [...hits].map(([outputPath, reason]) => ({ outputPath, code: "IDENTIFIER_FOUND", reason }));
  } catch (thrown) {
    if (!(thrown instanceof RangeError)) throw thrown;
    const [code, reason] = ["DEIDENTIFICATION_UNPROVEN", "too-many-identifiers"] as const;
    return members.map(({ outputPath }) => ({ outputPath, code, reason }));
  }
}

function addParts(files: FileToSearch[], outputPath: string, inFile: readonly Piece[]): void {
  if (inFile.length > 0) files.push({ outputPath, inFile });
}

/** What was found in pieces that are held, by number. */
async function searchHeld({ pieces, identifiers }: Study): Promise<ReadonlyMap<number, string>> {
  const noFile = (): Promise<never> => Promise.reject(new TypeError("a held piece was not held"));
  const reasons = new Map<number, string>();
  for (const [number, piece] of pieces.entries()) {
    const hit = await searchPieces([piece], identifiers, noFile);
    if (hit !== undefined) reasons.set(number, `${hit.kind} in ${hit.place}`);
  }
  return reasons;
}
