import { randomBytes } from "node:crypto";
import type { AeTitle, DicomAddress } from "../../dicom/ae-title.ts";
import type { DataSet } from "../../dicom/data-set.ts";
import { tags } from "../../dicom/dictionary/tags.ts";
import { parseStudyInstanceUid, type SopInstanceUid, type StudyInstanceUid } from "../../dicom/uid.ts";
import { numberOf } from "../../dicom/values.ts";
import { GatewayError, toGatewayError } from "../../errors/gateway-error.ts";
import { openAssociation } from "../../network/dimse/association.ts";
import type {
  Association,
  AssociationOptions,
  DimseTimeouts,
  ProposedContext,
  StoreHandler,
} from "../../network/dimse/service-types.ts";
import type { Logger } from "../../units/logger.ts";
import { createSemaphore } from "../../units/semaphore.ts";
import type {
  Archive,
  ListedInstance,
  RetrieveOutcome,
  RetrieveRequest,
  StudyListing,
  StudyMatch,
  StudyQuery,
} from "../archive.ts";
import type { Expectations } from "../expectations.ts";
import { findContexts, getContexts, moveContexts, verificationContexts } from "./contexts.ts";
import {
  exactMatch,
  imageIdentifier,
  listedInstance,
  listedSeries,
  retrieveIdentifiers,
  seriesIdentifier,
  studyCountIdentifier,
  studyIdentifier,
} from "./identifiers.ts";
import { checkRetrieveStatus } from "./retrieve-status.ts";

/** An archive that lists more than this for one question is asked the wrong question, or lies. */
const MAXIMUM_STUDIES = 1_000;
const MAXIMUM_SERIES = 10_000;
const MAXIMUM_INSTANCES_OF_SERIES = 100_000;

export interface DimseArchiveOptions {
  readonly name: string;
  readonly address: DicomAddress;
  readonly retrieve: "move" | "get";
  readonly associations: number;
  readonly callingAeTitle: AeTitle;
  readonly expectations: Expectations;
  /** Where C-GET's instances go; C-MOVE's come to the gateway's listener, which uses the same handler. */
  readonly store: StoreHandler;
  /** Nothing arriving for this long after the final answer means that nothing more will. */
  readonly quietMs: number;
  readonly timeouts?: Partial<DimseTimeouts>;
  readonly logger: Logger;
}

/** C-FIND, C-MOVE and C-GET with study root. PS3.4 C. */
export function createDimseArchive(options: DimseArchiveOptions): Archive {
  const permits = createSemaphore(options.associations);

  async function withAssociation<T>(
    contexts: readonly ProposedContext[],
    signal: AbortSignal,
    work: (association: Association) => Promise<T>,
  ): Promise<T> {
    using _permit = await permits.acquire(signal);
    await using association = await openAssociation(associationOptions(contexts, signal));
    return await work(association);
  }

  function associationOptions(contexts: readonly ProposedContext[], signal: AbortSignal): AssociationOptions {
    const { address, callingAeTitle, logger, timeouts } = options;
    return { address, callingAeTitle, contexts, logger, signal, ...(timeouts === undefined ? {} : { timeouts }) };
  }

  return {
    name: options.name,
    kind: "dimse",
    associations: options.associations,
    echo: (signal) => withAssociation(verificationContexts(), signal, (association) => association.echo(signal)),
    findStudies: (query, signal) =>
      withAssociation(findContexts(), signal, (association) => findStudies(association, query, signal)),
    find: (identifier, maximumAnswers, signal) => find(identifier, maximumAnswers, signal),
    listStudy: (study, signal) =>
      withAssociation(findContexts(), signal, (association) => listStudy(association, study, signal)),
    retrieve: (request, signal) => retrieve(request, signal),
    rehearseRetrieval: (signal) => rehearseRetrieval(signal),
    async [Symbol.asyncDispose]() {},
  };

  async function* find(identifier: DataSet, maximumAnswers: number, signal: AbortSignal): AsyncGenerator<DataSet> {
    using _permit = await permits.acquire(signal);
    await using association = await openAssociation(associationOptions(findContexts(), signal));
    yield* association.find({ model: "study-root", identifier, maximumAnswers }, signal);
  }

  async function rehearseRetrieval(signal: AbortSignal): Promise<void> {
    const contexts = options.retrieve === "move" ? moveContexts() : getContexts();
    await withAssociation(contexts, signal, async (association) => {
      // An unknown study is answered with success and no sub-operations, or with a failure that speaks of the study, not of us.
      const request = { studyInstanceUid: parseStudyInstanceUid(nobodysUid()) };
      await retrieveAll(association, request, signal).catch((thrown: unknown) => {
        const { code } = toGatewayError(thrown);
        if (code !== "ARCHIVE_UNABLE" && code !== "ARCHIVE_REFUSED_REQUEST") throw thrown;
      });
    });
  }

  async function retrieve(request: RetrieveRequest, signal: AbortSignal): Promise<RetrieveOutcome> {
    using expectation = options.expectations.expect(request.studyInstanceUid);
    const contexts = options.retrieve === "move" ? moveContexts() : getContexts();
    const outcome = await withAssociation(contexts, signal, (association) => retrieveAll(association, request, signal));
    await expectation.settled(request.wanted ?? new Set(), options.quietMs, signal);
    return outcome;
  }

  async function retrieveAll(
    association: Association,
    request: RetrieveRequest,
    signal: AbortSignal,
  ): Promise<RetrieveOutcome> {
    let completed = 0;
    let failed = 0;
    let status = 0;
    for (const identifier of retrieveIdentifiers(request)) {
      const result =
        options.retrieve === "move"
          ? await association.move(
              { model: "study-root", identifier, destination: options.callingAeTitle },
              undefined,
              signal,
            )
          : await association.get({ model: "study-root", identifier }, options.store, undefined, signal);
      checkRetrieveStatus(result.status);
      status = result.status;
      completed += result.completed ?? 0;
      failed += result.failed ?? 0;
    }
    return { status, completed, failed };
  }
}

/** A UID under 2.25 that no system has given out: a random number of 64 bits. PS3.5 B.2. */
function nobodysUid(): string {
  return `2.25.${randomBytes(8).readBigUInt64BE()}`;
}

async function findStudies(
  association: Association,
  query: StudyQuery,
  signal: AbortSignal,
): Promise<readonly StudyMatch[]> {
  const matches = new Map<StudyInstanceUid, StudyMatch>();
  const request = { model: "study-root", identifier: studyIdentifier(query), maximumAnswers: MAXIMUM_STUDIES } as const;
  for await (const answer of association.find(request, signal)) {
    const match = exactMatch(query, answer);
    if (match !== undefined) matches.set(match.studyInstanceUid, match);
  }
  return [...matches.values()];
}

/** UIDs at image level; where the archive refuses that, its counts; where it has none, `unknown`. */
async function listStudy(
  association: Association,
  study: StudyInstanceUid,
  signal: AbortSignal,
): Promise<StudyListing> {
  try {
    const instances = new Map<SopInstanceUid, ListedInstance>();
    for (const series of await listSeries(association, study, signal)) {
      const identifier = imageIdentifier(study, series.seriesInstanceUid);
      const request = { model: "study-root", identifier, maximumAnswers: MAXIMUM_INSTANCES_OF_SERIES } as const;
      for await (const answer of association.find(request, signal)) {
        const instance = listedInstance(study, series.seriesInstanceUid, answer);
        if (instance !== undefined) instances.set(instance.sopInstanceUid, instance);
      }
    }
    if (instances.size > 0) return { kind: "instances", instances: [...instances.values()] };
  } catch (thrown) {
    if (toGatewayError(thrown).code !== "DIMSE_FAILED") throw thrown;
  }
  return await countStudy(association, study, signal);
}

async function listSeries(association: Association, study: StudyInstanceUid, signal: AbortSignal) {
  const list = [];
  const request = { model: "study-root", identifier: seriesIdentifier(study), maximumAnswers: MAXIMUM_SERIES } as const;
  for await (const answer of association.find(request, signal)) {
    const series = listedSeries(study, answer);
    if (series !== undefined) list.push(series);
  }
  return list;
}

async function countStudy(
  association: Association,
  study: StudyInstanceUid,
  signal: AbortSignal,
): Promise<StudyListing> {
  try {
    const request = { model: "study-root", identifier: studyCountIdentifier(study), maximumAnswers: 1 } as const;
    for await (const answer of association.find(request, signal)) {
      const count = numberOf(answer, tags.NumberOfStudyRelatedInstances);
      if (count !== undefined && count > 0) return { kind: "count", count };
    }
  } catch (thrown) {
    const error = toGatewayError(thrown);
    if (error.code !== "DIMSE_FAILED") throw thrown instanceof GatewayError ? thrown : error;
  }
  return { kind: "unknown" };
}
