import type {
  Archive,
  ListedInstance,
  RetrieveOutcome,
  RetrieveRequest,
  StudyListing,
} from "../../src/archive/archive.ts";
import type { Expectations } from "../../src/archive/expectations.ts";
import type { StudyInstanceUid } from "../../src/dicom/uid.ts";
import { GatewayError } from "../../src/errors/gateway-error.ts";
import type { StoreHandler } from "../../src/network/dimse/service-types.ts";
import { orAborted } from "../../src/units/abort.ts";
import type { Clock } from "../../src/units/clock.ts";
import { createSemaphore } from "../../src/units/semaphore.ts";
import type { Faults } from "./faults.ts";
import type { HospitalInstance, HospitalStudy } from "./hospital.ts";
import type { Scheduler } from "./scheduler.ts";
import { sendInstance } from "./send-instance.ts";

/** What an archive was asked, as those who watch limits see it. */
export interface ArchiveCallEvent {
  readonly archive: string;
  readonly node: string;
  readonly kind: "find" | "list" | "retrieve";
  readonly underWay: number;
}

export interface SimulatedArchiveOptions {
  readonly name: string;
  readonly studies: readonly HospitalStudy[];
  readonly lists: StudyListing["kind"];
  readonly associations: number;
  readonly scheduler: Scheduler;
  readonly faults: Faults;
  readonly onCall: (call: ArchiveCallEvent) => void;
  /** A study is begun, whenever there is an association for it. */
  readonly onStudy: (archive: string) => void;
}

/** Where an archive's answers and instances go: one node's receiver. */
export interface Receiving {
  readonly node: string;
  readonly expectations: Expectations;
  readonly receive: StoreHandler;
  readonly clock: Clock;
}

export interface SimulatedArchive {
  readonly name: string;
  /** The archive as one node is connected to it. */
  connect(receiving: Receiving): Archive;
}

const LATE_MS = 120_000;
/** How long the final answer's stragglers are waited for. */
const QUIET_MS = 3_000;

/** An archive that pushes what is asked of it, over a network that loses, delays, doubles and reorders. */
export function createSimulatedArchive(options: SimulatedArchiveOptions): SimulatedArchive {
  const { name } = options;
  return {
    name,
    connect(receiving) {
      const permits = createSemaphore(options.associations);
      let underWay = 0;
      const asked = async <T>(
        kind: ArchiveCallEvent["kind"],
        signal: AbortSignal,
        answer: () => Promise<T> | T,
      ): Promise<T> => {
        using _permit = await permits.acquire(signal);
        underWay += 1;
        options.onCall({ archive: name, node: receiving.node, kind, underWay });
        try {
          await orAborted(reach(options), signal);
          return await answer();
        } finally {
          underWay -= 1;
        }
      };
      return {
        name,
        kind: "dimse",
        capabilities: { search: "itself", retrieves: "instance", connects: "archive" },
        associations: options.associations,
        echo: (signal) => asked("find", signal, () => undefined),
        findStudies: (query, signal) =>
          asked("find", signal, () =>
            options.studies
              .filter((study) =>
                query.by === "study-uid"
                  ? study.studyInstanceUid === query.studyInstanceUid
                  : study.accessionNumber === query.accessionNumber &&
                    (query.patientId === undefined || query.patientId === study.patientId),
              )
              .map(({ studyInstanceUid, patientId, accessionNumber }) => ({
                studyInstanceUid,
                patientId,
                accessionNumber,
              })),
          ),
        find: async function* () {},
        listStudy: (study, signal) => asked("list", signal, () => listing(options, study)),
        retrieve(request, signal) {
          if (request.instances === undefined) options.onStudy(name);
          return asked("retrieve", signal, () => retrieve(request, receiving, options, signal));
        },
        rehearseRetrieval: () => Promise.resolve({ kind: "nothing-to-try" }),
        [Symbol.asyncDispose]: () => Promise.resolve(),
      };
    },
  };
}

/** The way there, which may be long, or lead nowhere. */
async function reach({ scheduler, faults }: SimulatedArchiveOptions): Promise<void> {
  const isLate = faults.strikes("archive answers late", 0.03);
  await scheduler.later(scheduler.between(1, isLate ? LATE_MS : 40), () => undefined);
  if (faults.strikes("archive cannot be reached", 0.05)) throw new GatewayError("CONNECTION_FAILED");
}

function listing({ studies, lists }: SimulatedArchiveOptions, wanted: StudyInstanceUid): StudyListing {
  const instances = studies.find(({ studyInstanceUid }) => studyInstanceUid === wanted)?.instances ?? [];
  if (lists === "unknown") return { kind: "unknown" };
  if (lists === "count") return { kind: "count", count: instances.length };
  return {
    kind: "instances",
    instances: instances.map(
      ({ seriesInstanceUid, sopInstanceUid, sopClassUid }): ListedInstance => ({
        seriesInstanceUid,
        sopInstanceUid,
        sopClassUid,
      }),
    ),
  };
}

async function retrieve(
  request: RetrieveRequest,
  receiving: Receiving,
  options: SimulatedArchiveOptions,
  signal: AbortSignal,
): Promise<RetrieveOutcome> {
  const { scheduler, faults, name } = options;
  using expectation = receiving.expectations.expect(request.studyInstanceUid, { archive: name });
  const wanted = wantedOf(request, options);
  let completed = 0;
  for (const [index, instance] of wanted.entries()) {
    signal.throwIfAborted();
    if (faults.strikes("archive breaks off", 0.03)) throw new GatewayError("ASSOCIATION_ABORTED");
    if (faults.strikes("archive is unable", 0.02)) throw new GatewayError("ARCHIVE_UNABLE");
    completed += 1;
    if (faults.strikes("instance is lost", 0.06)) continue;
    const sending = (): Promise<unknown> => sendInstance(instance, receiving.receive, name, { scheduler, faults });
    if (faults.strikes("instance comes late", 0.06)) {
      const atMs = scheduler.nowMs + scheduler.between(100, index % 2 === 0 ? 2 * QUIET_MS : LATE_MS);
      scheduler.at(atMs, () => void sending().catch(() => undefined));
      continue;
    }
    await orAborted(sending(), signal);
    if (faults.strikes("instance comes twice", 0.05)) await orAborted(sending(), signal);
  }
  const isThrough = expectation.arrived.size >= completed;
  if (!isThrough)
    await expectation.settled(request.wanted ?? new Set(), { quietMs: QUIET_MS, longestMs: 120_000 }, signal);
  return { status: 0, completed, failed: 0 };
}

function wantedOf(
  request: RetrieveRequest,
  { studies, scheduler, faults }: SimulatedArchiveOptions,
): readonly HospitalInstance[] {
  const study = studies.find(({ studyInstanceUid }) => studyInstanceUid === request.studyInstanceUid);
  const named = request.instances && new Set<string>(request.instances.map(({ sopInstanceUid }) => sopInstanceUid));
  const series = request.seriesInstanceUids && new Set<string>(request.seriesInstanceUids);
  const wanted = (study?.instances ?? []).filter(
    ({ sopInstanceUid, seriesInstanceUid }) =>
      (named?.has(sopInstanceUid) ?? true) && (series?.has(seriesInstanceUid) ?? true),
  );
  if (!faults.strikes("instances are out of order", 0.2)) return wanted;
  return wanted
    .map((instance) => ({ instance, lot: scheduler.random.next() }))
    .sort((a, b) => a.lot - b.lot)
    .map(({ instance }) => instance);
}
