import type { AeTitle, DicomAddress } from "../../dicom/ae-title.ts";
import type { DataSet } from "../../dicom/data-set.ts";
import { openAssociation, type RequestedAssociation } from "../../network/dimse/association.ts";
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
  SubOperationCounts,
} from "../../network/dimse/service-types.ts";
import { STATUS } from "../../network/dimse/status.ts";
import { completeTimeouts } from "../../network/dimse/timeouts.ts";
import type { Clock } from "../../units/clock.ts";
import type { Logger } from "../../units/logger.ts";
import type { Archive, Rehearsal, RetrieveOutcome, RetrieveRequest } from "../archive.ts";
import { type Associations, createOwnAssociations } from "../availability/associations.ts";
import type { Expectations } from "../expectations.ts";
import { findContexts, getContexts, moveContexts, verificationContexts } from "./contexts.ts";
import { type Fetch, fetchQueries } from "./fetch.ts";
import { getInPasses } from "./get-passes.ts";
import { instancesQuery } from "./identifiers.ts";
import { type KeptAssociations, keepAssociations, leave } from "./kept-associations.ts";
import { findAnyInstance, findStudies, listStudy, type Searched } from "./query-study.ts";
import { limitSilence, type Patience, watchSilence } from "./silence.ts";
import { watchStore } from "./watched-store.ts";

/** While instances move, the association that asked may stay silent: the watch decides instead. */
const NO_IDLE_TIMEOUT: Partial<DimseTimeouts> = { idleTimeoutMs: 24 * 3_600_000 };

/** A retrieval that is answered, and gets nowhere for this long, is ended. */
const STANDSTILL_MS = 30 * 60_000;

/** So is one that brings nothing for this long, whatever else the archive sends and says: no study waits in line, nor any instance is on its way, for longer. */
const NEGLECT_MS = 6 * 3_600_000;

/** Of all that a study is asked about at once: who answers a little now and then, and never to the end, is not listened to for longer. */
const LONGEST_SEARCH_MS = NEGLECT_MS;

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
  readonly permits: Permits;
  /** What asks about studies, and moves them where C-MOVE does; undefined where other processes wait for the associations, too. */
  readonly kept: KeptAssociations | undefined;
}

/** C-FIND, C-MOVE and C-GET with study root. PS3.4 C. */
export function createDimseArchive(options: DimseArchiveOptions): Archive {
  const { name, associations, shared } = options;
  const permits = countPermits(shared ?? createOwnAssociations(associations));
  const kept =
    shared === undefined ? keepAssociations((signal) => openForStudies(options, signal), options.clock) : undefined;
  const peer: Peer = { options, permits, kept };
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
    findStudies: (query, signal) => searching(peer, signal, (searched) => findStudies(searched, query, signal)),
    find: (identifier, maximumAnswers, signal) => find(peer, identifier, maximumAnswers, signal),
    listStudy: (study, signal) => searching(peer, signal, (searched) => listStudy(searched, study, signal)),
    retrieve: (request, signal) => retrieve(peer, request, signal),
    rehearseRetrieval: (signal) => rehearseRetrieval(peer, signal),
    async [Symbol.asyncDispose]() {
      await kept?.[Symbol.asyncDispose]();
      await permits[Symbol.asyncDispose]();
    },
  };
}

/** The archive's association limit, and how much of it is in use. */
interface Permits extends Associations {
  readonly inUse: number;
}

function countPermits(associations: Associations): Permits {
  let inUse = 0;
  return {
    get inUse() {
      return inUse;
    },
    async acquire(signal) {
      const permit = await associations.acquire(signal);
      inUse += 1;
      return {
        [Symbol.dispose]() {
          inUse -= 1;
          permit[Symbol.dispose]();
        },
      };
    },
    [Symbol.asyncDispose]: () => associations[Symbol.asyncDispose](),
  };
}

/** A study is found, listed and moved: over one association where its archive moves it. */
async function openForStudies(options: DimseArchiveOptions, signal: AbortSignal): Promise<RequestedAssociation> {
  const contexts = [...findContexts(), ...(options.retrieve === "move" ? moveContexts() : [])];
  return await openAssociation(await associationOptions(options, contexts, signal, NO_IDLE_TIMEOUT));
}

async function withKept<T>(
  peer: Peer,
  contexts: readonly ProposedContext[],
  signal: AbortSignal,
  work: (association: Association) => Promise<T>,
): Promise<T> {
  if (peer.kept === undefined) return await withAssociation(peer, contexts, signal, work, NO_IDLE_TIMEOUT);
  using _permit = await peer.permits.acquire(signal);
  return await peer.kept.use(signal, work);
}

/** An association that moves studies has no time limit of its own: each question has one here. */
async function searching<T>(peer: Peer, signal: AbortSignal, work: (searched: Searched) => Promise<T>): Promise<T> {
  const { idleTimeoutMs } = completeTimeouts(peer.options.timeouts);
  return await withKept(peer, findContexts(), signal, async (association) => {
    using limit = limitSilence({ timeoutMs: idleTimeoutMs, longestMs: LONGEST_SEARCH_MS }, signal);
    return await work({
      async *find(request) {
        limit.touch();
        for await (const answer of association.find(request, limit.signal)) {
          limit.touch();
          yield answer;
        }
      },
    });
  });
}

async function withAssociation<T>(
  peer: Peer,
  contexts: readonly ProposedContext[],
  signal: AbortSignal,
  work: (association: Association) => Promise<T>,
  timeouts: Partial<DimseTimeouts> = {},
): Promise<T> {
  using _permit = await peer.permits.acquire(signal);
  await makeRoom(peer);
  const association = await openAssociation(await associationOptions(peer.options, contexts, signal, timeouts));
  try {
    return await work(association);
  } finally {
    await leave(association);
  }
}

/** What is kept without being used counts among the associations that the archive allows. */
async function makeRoom({ options, permits, kept }: Peer): Promise<void> {
  await kept?.reduceTo(options.associations - permits.inUse);
}

async function associationOptions(
  options: DimseArchiveOptions,
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
  await makeRoom(peer);
  const association = await openAssociation(await associationOptions(peer.options, findContexts(), signal));
  try {
    yield* association.find({ model: "study-root", identifier, maximumAnswers }, signal);
  } finally {
    await leave(association);
  }
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
  const { name, clock, expectations, silenceMs, quietMs } = peer.options;
  const { studyInstanceUid, job, wanted } = request;
  using expectation = expectations.expect(studyInstanceUid, { archive: name, job, wanted });
  const answers = noteAnswers(clock);
  const { onProgress } = answers;
  const later = (ms: number): number => Math.max(ms, expectations.lastActivityMs(name));
  const patience: Patience = {
    silence: { limitMs: silenceMs, lastMs: () => later(answers.lastMs) },
    standstill: { limitMs: STANDSTILL_MS, lastMs: () => later(answers.lastOtherMs) },
    neglect: { limitMs: NEGLECT_MS, lastMs: () => expectation.lastArrivalMs },
  };
  await using watch = watchSilence(clock, patience, signal);
  const way: Way = { onProgress, signal: watch.signal };
  if (peer.options.retrieve === "get") return await retrieveByGet(peer, request, way);
  const outcome = await withKept(peer, moveContexts(), watch.signal, (association) =>
    fetchQueries(fetchOver(peer, association, way), request, expectation.arrived),
  );
  // Many archives answer before their C-STOREs are through; not when as many have arrived as they say they sent.
  const isThrough = expectation.arrived.size >= (outcome.completed ?? Number.POSITIVE_INFINITY);
  const patienceBehind = { quietMs, longestMs: silenceMs };
  if (!isThrough) await expectation.settled(wanted ?? new Set(), patienceBehind, signal);
  return outcome;
}

/** When the archive last answered, and when it last answered something else than before. */
function noteAnswers(clock: Clock) {
  let said: string | undefined;
  const answers = {
    lastMs: clock.nowMs(),
    lastOtherMs: clock.nowMs(),
    onProgress({ remaining, completed, failed, warning }: SubOperationCounts): void {
      answers.lastMs = clock.nowMs();
      const says = [remaining, completed, failed, warning].join(" ");
      if (says !== said) answers.lastOtherMs = answers.lastMs;
      said = says;
    },
  };
  return answers;
}

/** Its instances have come before its answer: nothing is waited for behind it. */
async function retrieveByGet(peer: Peer, request: RetrieveRequest, way: Way): Promise<RetrieveOutcome> {
  const watched = watchStore(peer.options.store, request.studyInstanceUid);
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
      NO_IDLE_TIMEOUT,
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
  readonly onProgress: (counts: SubOperationCounts) => void;
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
