import { GatewayError, toGatewayError } from "../../errors/gateway-error.ts";
import type { ErrorCode } from "../../errors/registry.ts";
import { abortAfter } from "../../units/abort.ts";
import { concurrently } from "../../units/concurrently.ts";
import type { Logger } from "../../units/logger.ts";
import type { Semaphore } from "../../units/semaphore.ts";
import { isSafeSegment } from "./hygiene.ts";
import { AmbiguousAccessionError, chooseStudy, type PacsStudy, queryAccession } from "./pacs.ts";
import type { Xnat } from "./xnat.ts";

/** One accession number that led to no study, and why. */
export interface AccessionProblem {
  readonly accession: string;
  readonly code: ErrorCode;
  /** The studies under it, where there are several: a person has to choose. */
  readonly candidates?: readonly Candidate[];
}

/** One of several studies under an accession number, without anything that names the patient. */
type Candidate = Pick<PacsStudy, "studyInstanceUid" | "studyDate" | "modalitiesInStudy" | "studyDescription">;

export interface FoundStudies {
  /** In the order of the accession numbers. */
  readonly studies: readonly PacsStudy[];
  readonly problems: readonly AccessionProblem[];
}

export interface FindOptions {
  readonly xnat: Xnat;
  readonly pacsId: number;
  /** Limits the queries that the PACS gets at once, of all retrievals together. */
  readonly turns: Semaphore;
  readonly atOnce: number;
  /** For each query. */
  readonly timeoutMs: number;
  readonly logger: Logger;
  readonly signal: AbortSignal;
}

/** After so many failures in a row the PACS is asked no more: what is left fails with the last of them. */
const MAXIMUM_FAILURES_IN_A_ROW = 32;

/** One query for each accession number, several at once. One that fails is skipped: the others go on. */
export async function findStudies(accessions: readonly string[], options: FindOptions): Promise<FoundStudies> {
  const found: (PacsStudy | GatewayError)[] = Array.from({ length: accessions.length });
  let failuresInARow = 0;
  let lastFailure: GatewayError | undefined;
  await concurrently(accessions.entries(), options.atOnce, async ([index, accession]) => {
    options.signal.throwIfAborted();
    if (failuresInARow >= MAXIMUM_FAILURES_IN_A_ROW && lastFailure !== undefined) {
      found[index] = lastFailure;
      return;
    }
    const study = await findOne(accession, options);
    const isFailure = study instanceof GatewayError && study.class !== "permanent";
    failuresInARow = isFailure ? failuresInARow + 1 : 0;
    if (study instanceof GatewayError) {
      if (isFailure) lastFailure = study;
      // By its position in the list: an accession number may not stand in a log.
      options.logger.warn("accession number skipped", {
        position: index + 1,
        maximum: accessions.length,
        code: study.code,
      });
    }
    found[index] = study;
  });
  return {
    studies: found.filter((each): each is PacsStudy => !(each instanceof GatewayError)),
    problems: found.flatMap((each, index) =>
      each instanceof GatewayError ? [problemOf(accessions[index] ?? "", each)] : [],
    ),
  };
}

function problemOf(accession: string, error: GatewayError): AccessionProblem {
  const { code } = error;
  if (!(error instanceof AmbiguousAccessionError)) return { accession, code };
  const candidates = error.candidates.map(({ studyInstanceUid, studyDate, modalitiesInStudy, studyDescription }) => ({
    ...{ studyInstanceUid, studyDate, modalitiesInStudy, studyDescription },
  }));
  return { accession, code, candidates };
}

async function findOne(accession: string, options: FindOptions): Promise<PacsStudy | GatewayError> {
  const { xnat, pacsId, turns, timeoutMs, signal } = options;
  using _ = await turns.acquire(signal);
  using inTime = abortAfter(timeoutMs, signal);
  try {
    const study = chooseStudy(accession, await queryAccession(xnat, pacsId, accession, inTime));
    return isSafeSegment(study.accessionNumber) ? study : new GatewayError("FLIP_ACCESSION_UNSAFE");
  } catch (thrown) {
    signal.throwIfAborted();
    return toGatewayError(thrown);
  }
}
