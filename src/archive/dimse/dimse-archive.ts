import type { AeTitle, DicomAddress } from "../../dicom/ae-title.ts";
import type { DataSet } from "../../dicom/data-set.ts";
import { openAssociation } from "../../network/dimse/association.ts";
import type { ConnectionSource } from "../../network/dimse/connection.ts";
import { storageContextGroups } from "../../network/dimse/get-contexts.ts";
import { queryRetrieveClass } from "../../network/dimse/service-classes.ts";
import type {
  AcceptedContext,
  Association,
  AssociationOptions,
  DimseTimeouts,
  ProposedContext,
  StoreHandler,
} from "../../network/dimse/service-types.ts";
import { STATUS } from "../../network/dimse/status.ts";
import type { Clock } from "../../units/clock.ts";
import type { Logger } from "../../units/logger.ts";
import type { Archive, Rehearsal, RetrieveOutcome, RetrieveRequest } from "../archive.ts";
import { type Associations, createOwnAssociations } from "../availability/associations.ts";
import type { Expectations } from "../expectations.ts";
import { findContexts, getContexts, moveContexts, verificationContexts } from "./contexts.ts";
import { type Fetch, fetchQueries } from "./fetch.ts";
import { getInPasses } from "./get-passes.ts";
import { instancesQuery } from "./identifiers.ts";
import { findAnyInstance, findStudies, listStudy } from "./query-study.ts";
import { watchSilence } from "./silence.ts";
import { watchStore } from "./watched-store.ts";

/** While instances move, the association that asked may stay silent: the watch decides instead. */
const NO_IDLE_TIMEOUT_MS = 24 * 3_600_000;

export interface DimseArchiveOptions {
  readonly name: string;
  readonly address: DicomAddress;
  readonly retrieve: "move" | "get";
  readonly associations: number;
  /** Where others ask it in our name, too; absent: this process has all of its associations. */
  readonly shared?: Associations | undefined;
  readonly callingAeTitle: AeTitle;
  /** Absent: without TLS and user. */
  readonly connection?: ConnectionSource;
  readonly expectations: Expectations;
  /** Where C-GET's instances go; C-MOVE's come to the gateway's listener, which uses the same handler. */
  readonly store: StoreHandler;
  /** Nothing arriving for this long after the final answer means that nothing more will. */
  readonly quietMs: number;
  /** No answer and no instance for this long ends a retrieval. */
  readonly silenceMs: number;
  readonly clock: Clock;
  readonly timeouts?: Partial<DimseTimeouts>;
  readonly logger: Logger;
}

/** What every operation needs: the options, and the permits that keep the archive's association limit. */
interface Peer {
  readonly options: DimseArchiveOptions;
  readonly permits: Associations;
}

/** C-FIND, C-MOVE and C-GET with study root. PS3.4 C. */
export function createDimseArchive(options: DimseArchiveOptions): Archive {
  const { name, associations, shared } = options;
  const permits = shared ?? createOwnAssociations(associations);
  const peer: Peer = { options, permits };
  return {
    name,
    kind: "dimse",
    capabilities: {
      search: "itself",
      retrieves: "instance",
      connects: options.retrieve === "move" ? "archive" : "us",
    },
    associations,
    echo: (signal) => withAssociation(peer, verificationContexts(), signal, (association) => association.echo(signal)),
    findStudies: (query, signal) =>
      withAssociation(peer, findContexts(), signal, (association) => findStudies(association, query, signal)),
    find: (identifier, maximumAnswers, signal) => find(peer, identifier, maximumAnswers, signal),
    listStudy: (study, signal) =>
      withAssociation(peer, findContexts(), signal, (association) => listStudy(association, study, signal)),
    retrieve: (request, signal) => retrieve(peer, request, signal),
    rehearseRetrieval: (signal) => rehearseRetrieval(peer, signal),
    [Symbol.asyncDispose]: () => permits[Symbol.asyncDispose](),
  };
}

async function withAssociation<T>(
  peer: Peer,
  contexts: readonly ProposedContext[],
  signal: AbortSignal,
  work: (association: Association) => Promise<T>,
  timeouts: Partial<DimseTimeouts> = {},
): Promise<T> {
  using _permit = await peer.permits.acquire(signal);
  await using association = await openAssociation(await associationOptions(peer, contexts, signal, timeouts));
  return await work(association);
}

async function associationOptions(
  { options }: Peer,
  contexts: readonly ProposedContext[],
  signal: AbortSignal,
  timeouts: Partial<DimseTimeouts> = {},
): Promise<AssociationOptions> {
  const { address, callingAeTitle, logger } = options;
  const connection = await options.connection?.();
  const all = { ...options.timeouts, ...timeouts };
  return { ...connection, address, callingAeTitle, contexts, logger, signal, timeouts: all };
}

async function* find(
  peer: Peer,
  identifier: DataSet,
  maximumAnswers: number,
  signal: AbortSignal,
): AsyncGenerator<DataSet> {
  using _permit = await peer.permits.acquire(signal);
  await using association = await openAssociation(await associationOptions(peer, findContexts(), signal));
  yield* association.find({ model: "study-root", identifier, maximumAnswers }, signal);
}

async function rehearseRetrieval(peer: Peer, signal: AbortSignal): Promise<Rehearsal> {
  const found = await withAssociation(peer, findContexts(), signal, (association) =>
    findAnyInstance(association, signal),
  );
  if (found === undefined) return { kind: "nothing-to-try" };
  const { study, instance } = found;
  const sopClassUids = instance.sopClassUid === undefined ? [] : [instance.sopClassUid];
  const { retrieve, store } = peer.options;
  const contexts = retrieve === "move" ? moveContexts() : getContexts(storageContextGroups(sopClassUids)[0]);
  return await withAssociation(peer, contexts, signal, async (association) => {
    const fetch = fetchOver(peer, association, { store, onProgress: () => {}, signal });
    const { status, completed, failed } = await fetch(instancesQuery(study, [instance]).identifier);
    return { kind: "tried", status, completed, failed };
  });
}

async function retrieve(peer: Peer, request: RetrieveRequest, signal: AbortSignal): Promise<RetrieveOutcome> {
  const { clock, expectations, silenceMs, quietMs } = peer.options;
  using expectation = expectations.expect(request.studyInstanceUid, peer.options.name);
  let lastAnswerMs = clock.nowMs();
  const onProgress = (): void => {
    lastAnswerMs = clock.nowMs();
  };
  const lastActivityMs = (): number => Math.max(lastAnswerMs, expectations.lastActivityMs);
  await using watch = watchSilence(clock, silenceMs, lastActivityMs, signal);
  const way: Way = { onProgress, signal: watch.signal };
  if (peer.options.retrieve === "get") return await retrieveByGet(peer, request, way);
  const outcome = await withAssociation(
    peer,
    moveContexts(),
    watch.signal,
    (association) => fetchQueries(fetchOver(peer, association, way), request, expectation.arrived),
    { idleTimeoutMs: NO_IDLE_TIMEOUT_MS },
  );
  // Many archives answer before their C-STOREs are through; not when as many have arrived as they say they sent.
  const isThrough = expectation.arrived.size >= (outcome.completed ?? Number.POSITIVE_INFINITY);
  if (!isThrough) await expectation.settled(request.wanted ?? new Set(), quietMs, signal);
  return outcome;
}

/** Its instances have come before its answer: nothing is waited for behind it. */
async function retrieveByGet(peer: Peer, request: RetrieveRequest, way: Way): Promise<RetrieveOutcome> {
  const watched = watchStore(peer.options.store);
  const store = watched.handler;
  return await getInPasses(request, watched, (pass) =>
    withAssociation(
      peer,
      getContexts(pass.contexts),
      way.signal,
      async (association) => {
        const isFutile = association.acceptedContexts.every(isQueryContext) && association.acceptedContexts.length > 0;
        if (isFutile) return NOTHING_SENT;
        return await fetchQueries(fetchOver(peer, association, { ...way, store }), pass.request, watched.arrived);
      },
      { idleTimeoutMs: NO_IDLE_TIMEOUT_MS },
    ),
  );
}

function isQueryContext({ abstractSyntaxUid }: AcceptedContext): boolean {
  return queryRetrieveClass(abstractSyntaxUid) !== undefined;
}

/** The archive takes the C-GET, and none of the contexts that instances could come over. */
const NOTHING_SENT: RetrieveOutcome = {
  status: STATUS.subOperationsCompleteWithFailures,
  completed: 0,
  failed: undefined,
};

/** How a retrieval is watched and ended; C-GET has a store of its own. */
interface Way {
  readonly store?: StoreHandler;
  readonly onProgress: () => void;
  readonly signal: AbortSignal;
}

/** One C-MOVE, or one C-GET where there is a store, over the association. */
function fetchOver({ options }: Peer, association: Association, { store, onProgress, signal }: Way): Fetch {
  return (identifier) => {
    const query = { model: "study-root", identifier } as const;
    return options.retrieve === "move" || store === undefined
      ? association.move({ ...query, destination: options.callingAeTitle }, onProgress, signal)
      : association.get(query, store, onProgress, signal);
  };
}
