import { createLocalExams, type ExamManager } from "../acquisition/exam-manager.ts";
import { type DataLake, openDataLake } from "../acquisition/lake/data-lake.ts";
import { createLedger, type Ledger } from "../acquisition/ledger.ts";
import { type AcquisitionPolicy, USUAL_POLICY } from "../acquisition/policy.ts";
import { recover, sweep } from "../acquisition/recover.ts";
import { createRemoteExams } from "../acquisition/remote-exams.ts";
import { removeOld } from "../acquisition/retention.ts";
import { createUploads, type Uploads } from "../acquisition/uploads.ts";
import { type ExamClientOptions, openExamClient } from "../network/rest/scanhub/exam-client.ts";
import { createAuditTrail } from "../observe/audit-trail.ts";
import type { Acquisition, AcquisitionStore } from "../store/acquisitions.ts";
import type { Store } from "../store/store.ts";
import { type Clock, systemClock } from "../units/clock.ts";
import { type Disk, systemDisk } from "../units/disk.ts";
import { type Logger, silentLogger } from "../units/logger.ts";
import { openFaceHome } from "./face-home.ts";

/** The ledger of acquisitions and what it stands on, for programs that speak with scanners in their own way. */
export interface Acquisitions extends AsyncDisposable {
  /** Tasks, sequences, results, scanners, and everything that the ledger writes down. */
  readonly store: AcquisitionStore;
  /** Tasks and results as the ledger sees them. */
  readonly exams: ExamManager;
  readonly lake: DataLake;
  /** A task is claimed, reported on and ended by it, and by nothing else. */
  readonly ledger: Ledger;
  /** Files of an acquisition on their way into the lake. */
  readonly uploads: Uploads;
  /**
   * Ends what nobody answers for any more, publishes what waits for an exam-manager that was away, and removes files whose time is over: to be
   * called every second or so. What was ended.
   */
  sweep(): Promise<readonly Acquisition[]>;
}

/** ScanHub's exam-manager, or another gateway in its place. */
export interface RemoteExamManager extends Omit<ExamClientOptions, "url" | "clock"> {
  /** Such as `http://exam-manager:8000/api/v1/exam`. */
  readonly url: string;
  /** Asked for before every call: a token of its users. */
  readonly userAccessToken: () => Promise<string>;
}

export interface AcquisitionsOptions {
  /** The folder of the results. */
  readonly lake: string;
  /** An exam-manager elsewhere, that has the tasks and results. @default this gateway's own store */
  readonly remote?: RemoteExamManager | undefined;
  readonly policy?: Partial<AcquisitionPolicy> | undefined;
  readonly clock?: Clock | undefined;
  readonly disk?: Disk | undefined;
  readonly logger?: Logger | undefined;
}

/**
 * Acquisitions over a home of their own, which no other process may work on meanwhile. What one that died left half done is taken up first;
 * what needs an exam-manager that does not answer, by `sweep`.
 * @throws GatewayError HOME_IN_USE, FOLDER_NOT_WRITABLE, STORE_…, SCAN_LAKE_UNAVAILABLE
 */
export async function openAcquisitions(
  options: AcquisitionsOptions & { readonly home: string },
): Promise<Acquisitions> {
  await using opened = new AsyncDisposableStack();
  const store = await openFaceHome(options.home, options.logger ?? silentLogger, opened);
  const acquisitions = opened.use(await openAcquisitionsOver({ ...options, store }));
  const closing = opened.move();
  return { ...acquisitions, [Symbol.asyncDispose]: () => closing.disposeAsync() };
}

/** Over a store that somebody else holds. @throws GatewayError SCAN_LAKE_UNAVAILABLE, STORE_… */
export async function openAcquisitionsOver(
  options: AcquisitionsOptions & { readonly store: AcquisitionStore & Pick<Store, "appendAudit"> },
): Promise<Acquisitions> {
  const { store, clock = systemClock, disk = systemDisk, logger = silentLogger } = options;
  await using opened = new AsyncDisposableStack();
  const lake = opened.use(await openDataLake({ path: options.lake, disk }));
  const exams = examsOf(options, opened);
  const policy = { ...USUAL_POLICY, ...options.policy };
  const audit = createAuditTrail({ store, clock });
  const ledger = createLedger({ store, exams, lake, clock, logger, policy, audit });
  const uploads = createUploads(ledger);
  opened.defer(() => ledger.lanes.settled());
  opened.defer(() => uploads.settled());
  await recover(ledger);
  const closing = opened.move();
  return {
    store,
    exams,
    lake,
    ledger,
    uploads,
    async sweep() {
      await removeOld(ledger);
      return await sweep(ledger, uploads);
    },
    [Symbol.asyncDispose]: () => closing.disposeAsync(),
  };
}

function examsOf(
  {
    remote,
    store,
    clock = systemClock,
    logger = silentLogger,
  }: AcquisitionsOptions & { readonly store: AcquisitionStore },
  opened: AsyncDisposableStack,
): ExamManager {
  if (remote === undefined) return createLocalExams(store, clock);
  const { url, userAccessToken, ...client } = remote;
  return createRemoteExams({
    client: opened.use(openExamClient({ ...client, url, clock })),
    origin: url,
    userAccessToken,
    store,
    logger,
  });
}
