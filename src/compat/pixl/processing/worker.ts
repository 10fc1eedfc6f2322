import type { InboxStore } from "../../../store/inbox.ts";
import { type Random, systemRandom } from "../../../units/random.ts";
import type { Broker } from "../intake/broker.ts";
import { IMAGING_QUEUES, type ImagingQueue } from "../intake/queues.ts";
import type { TokenBuckets } from "../intake/token-buckets.ts";
import { RETRY, type RetryPolicies } from "./dispositions.ts";
import { forgetFinished } from "./forget-finished.ts";
import type { WithdrawnPatients } from "./forget-withdrawn.ts";
import { type Lane, startLane } from "./lane.ts";
import type { Processing } from "./processing.ts";

export interface WorkerOptions {
  readonly store: InboxStore;
  readonly buckets: Pick<TokenBuckets, "rate" | "take">;
  readonly broker: Pick<Broker, "publish">;
  /** Closed by whoever opened it, after the worker. */
  readonly processing: Processing;
  /** A message of the queue was settled: there may be room for another (`Intake.wake`). */
  readonly onSettled?: (queue: ImagingQueue) => void;
  readonly retry?: RetryPolicies;
  readonly random?: Random;
  /** Nobody is by default. */
  readonly withdrawn?: WithdrawnPatients;
}

export interface PixlWorker extends AsyncDisposable {
  /** To be called when a message was stored (`IntakeOptions.onStored`, and by whoever else stores one). */
  wake(): void;
  /** How many messages of each queue are worked on at this moment. */
  running(): Readonly<Record<ImagingQueue, number>>;
  /** Queues whose worker ended though nobody told it to; empty as long as all is well. */
  readonly dead: readonly ImagingQueue[];
  /** Claims nothing more; what runs may come to its end within the time, then it is broken off where it can be taken up again. @default 5,000 */
  drain(graceMs?: number): Promise<void>;
}

/** Most messages are done in a second; Docker waits ten before it kills. */
const GRACE_MS = 5_000;

/**
 * Works stored messages off: of each queue the most urgent due one first, no more at once than PIXL_MAX_MESSAGES_IN_FLIGHT, none while the
 * rate is 0, each against a token. What a process that died had claimed is given back first. Finished messages are forgotten after 30 days, those
 * of patients who were withdrawn within the hour.
 */
export async function startWorker(options: WorkerOptions): Promise<PixlWorker> {
  const { store, processing, onSettled = () => undefined, retry = RETRY, random = systemRandom, withdrawn } = options;
  const isWithdrawn = withdrawn && (async (project: string, id: string) => (await withdrawn.ofProject(project))(id));
  await store.releaseInboxMessages(processing.clock.nowMs());
  const lanes = new Map<ImagingQueue, Lane>(
    IMAGING_QUEUES.map((queue) => [queue, startLane(queue, { ...options, onSettled, retry, random, isWithdrawn })]),
  );
  const { clock, logger } = processing;
  const forgetting = forgetFinished({ store, clock, logger, withdrawn });
  const runningIn = (queue: ImagingQueue): number => lanes.get(queue)?.running() ?? 0;
  const drain = async (graceMs = GRACE_MS): Promise<void> => {
    await Promise.all([...lanes.values()].map((lane) => lane.drain(graceMs)));
    await forgetting[Symbol.asyncDispose]();
  };
  return {
    wake() {
      for (const lane of lanes.values()) lane.wake();
    },
    running: () => ({
      "imaging-primary": runningIn("imaging-primary"),
      "imaging-secondary": runningIn("imaging-secondary"),
    }),
    get dead() {
      return IMAGING_QUEUES.filter((queue) => lanes.get(queue)?.isDead() ?? true);
    },
    drain,
    [Symbol.asyncDispose]: () => drain(),
  };
}
