import { parseSeriesInstanceUid, parseSopInstanceUid, parseStudyInstanceUid } from "../../dicom/uid.ts";
import { GatewayError } from "../../errors/gateway-error.ts";
import type { ErrorCode } from "../../errors/registry.ts";
import { STATUS } from "../../network/dimse/status.ts";
import { laterOf, retryAfterOf } from "../../network/http-client/http-error.ts";
import { createRad69Client, type Rad69ClientOptions } from "../../network/ihe/client.ts";
import { asDicomTrolleyError, type DicomTrolleyError } from "../../network/ihe/errors.ts";
import { retrieveInstances } from "../../network/ihe/retrieve.ts";
import { costsItselfAlone } from "../../network/instance-files/instance-error.ts";
import type { Archive, ListedInstance, RetrieveOutcome, RetrieveRequest } from "../archive.ts";
import { type InstanceTaker, noteRefused, openStagingStore } from "../http/staging-store.ts";

export interface Rad69ArchiveOptions {
  readonly name: string;
  /** Its HTTP client is closed with the archive. */
  readonly client: Rad69ClientOptions;
  /** Requests at once. */
  readonly associations: number;
  readonly taker: InstanceTaker;
  /** RAD-69 cannot search: the archive that is searched in its place. */
  readonly searched: Archive;
}

/** An instance that nobody has: who answers anything about it is there. */
const NOBODYS: ListedInstance & { readonly studyInstanceUid: ReturnType<typeof parseStudyInstanceUid> } = {
  studyInstanceUid: parseStudyInstanceUid("2.25.1"),
  seriesInstanceUid: parseSeriesInstanceUid("2.25.2"),
  sopInstanceUid: parseSopInstanceUid("2.25.3"),
  sopClassUid: undefined,
};

/** What a source says of an instance it does not have, or of a repository it is not. */
const IS_THERE: ReadonlySet<ErrorCode> = new Set<ErrorCode>(["RAD69_DOCUMENT_MISSING", "RAD69_DOCUMENT_NOT_SENT"]);

/** Retrieve Imaging Document Set. RAD TF-2 4.69. */
export function createRad69Archive(options: Rad69ArchiveOptions): Archive {
  const { name, associations, searched } = options;
  return {
    name,
    kind: "rad69",
    capabilities: { search: "by-another", retrieves: "instance", connects: "us" },
    associations,
    echo: (signal) => echo(options, signal),
    findStudies: (query, signal) => searched.findStudies(query, signal),
    find: (identifier, maximumAnswers, signal) => searched.find(identifier, maximumAnswers, signal),
    listStudy: (study, signal) => searched.listStudy(study, signal),
    retrieve: (request, signal) => retrieve(options, request, signal),
    async rehearseRetrieval(signal) {
      await echo(options, signal);
      return { kind: "tried", status: STATUS.success, completed: undefined, failed: undefined };
    },
    [Symbol.asyncDispose]: () => options.client.http[Symbol.asyncDispose](),
  };
}

async function retrieve(
  { client, associations, taker, searched }: Rad69ArchiveOptions,
  request: RetrieveRequest,
  signal: AbortSignal,
): Promise<RetrieveOutcome> {
  const { studyInstanceUid } = request;
  const wanted = await instancesOf(searched, request, signal);
  using _expectation = taker.expectations.expect(studyInstanceUid, { job: request.job });
  await using store = await openStagingStore(taker, studyInstanceUid, signal);
  const instances = wanted.map((instance) => ({ studyInstanceUid, ...instance }));
  const { outcomes } = await retrieveInstances(createRad69Client(client), instances, store, {
    parallel: associations,
    // What is still missing is asked for by verification, and the job tries again: by the same requests, so what one stumbles over is found here.
    attempts: 1,
    narrows: true,
    signal,
  });
  for (const [sopInstanceUid, each] of outcomes) {
    if (each.state === "failed" && costsItselfAlone(each.error))
      noteRefused(taker.refusals, each.error, [sopInstanceUid], studyInstanceUid);
  }
  const errors = [...outcomes.values()].flatMap((each) => (each.state === "failed" ? [each.error] : []));
  const completed = outcomes.size - errors.length;
  const [error] = errors;
  if (completed === 0 && error !== undefined && !isWithheld(error)) throw error;
  const status = errors.length === 0 ? STATUS.success : STATUS.subOperationsCompleteWithFailures;
  const retryAfterMs = errors.map(retryAfterOf).reduce(laterOf, undefined);
  return { status, completed, failed: errors.length, ...(retryAfterMs !== undefined && { retryAfterMs }) };
}

/** The source is well, and does not give the instance: what is missing is told by verification. */
function isWithheld({ code }: DicomTrolleyError): boolean {
  return IS_THERE.has(code);
}

/** RAD-69 asks for instances by name only. @throws GatewayError COMPLETENESS_UNKNOWN when the searched archive does not list them */
async function instancesOf(
  searched: Archive,
  { studyInstanceUid, seriesInstanceUids, instances }: RetrieveRequest,
  signal: AbortSignal,
): Promise<readonly ListedInstance[]> {
  if (instances !== undefined) return instances;
  const listing = await searched.listStudy(studyInstanceUid, signal);
  if (listing.kind !== "instances") throw new GatewayError("COMPLETENESS_UNKNOWN", { searched: searched.name });
  const series = seriesInstanceUids && new Set(seriesInstanceUids);
  return listing.instances.filter(({ seriesInstanceUid }) => series?.has(seriesInstanceUid) ?? true);
}

async function echo({ client }: Rad69ArchiveOptions, signal: AbortSignal): Promise<void> {
  const nowhere = { begin: () => Promise.reject(new GatewayError("INSTANCE_UNSOLICITED")) };
  try {
    for await (const _ of createRad69Client(client).request([NOBODYS], nowhere, signal)) break;
  } catch (thrown) {
    signal.throwIfAborted();
    const error = asDicomTrolleyError(thrown);
    if (!IS_THERE.has(error.code)) throw error;
  }
}
