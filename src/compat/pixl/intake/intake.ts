import { ConsumerStatus, type MessageBody } from "rabbitmq-client";
import { type GatewayError, toGatewayError } from "../../../errors/gateway-error.ts";
import type { InboxStore } from "../../../store/inbox.ts";
import type { Clock } from "../../../units/clock.ts";
import type { Logger } from "../../../units/logger.ts";
import { createSparseLogger } from "../../../units/sparse-logger.ts";
import { deserialise } from "../messages/deserialise.ts";
import { checkKeys } from "../messages/keys.ts";
import { type Broker, brokerError, bytesOf, type QueueConsumer } from "./broker.ts";
import { parkMessage } from "./park.ts";
import { IMAGING_QUEUES, type ImagingQueue, priorityOf } from "./queues.ts";
import type { TokenBuckets } from "./token-buckets.ts";

export interface IntakeOptions {
  readonly broker: Pick<Broker, "trouble" | "publish" | "consumer">;
  readonly store: Pick<InboxStore, "addInboxMessage" | "unfinishedInboxMessages">;
  /** Nothing is taken while its rate is 0; tokens are for who works the messages off. */
  readonly buckets: Pick<TokenBuckets, "rate" | "onChange">;
  /** PIXL_MAX_MESSAGES_IN_FLIGHT: of each queue, stored ones and the one at hand together. */
  readonly maximumUnfinished: number;
  readonly clock: Clock;
  readonly logger: Logger;
  /** A message was stored. */
  readonly onStored?: (queue: ImagingQueue) => void;
}

export interface Intake extends AsyncDisposable {
  /** To be called when a message is done: there may be room for another. */
  wake(): void;
  /** What each queue does now. */
  state(): Readonly<Record<ImagingQueue, "taking" | "holding">>;
}

/** After the store failed; the message stays with the broker meanwhile. */
const STORE_RETRY_MS = 1_000;
/** Room is looked for again after so long, whoever forgot to wake. */
const LOOK_AGAIN_MS = 5_000;

/**
 * Takes messages from the queues into the store: stored, committed, then acknowledged. While there is no room, or the rate is 0, the
 * queues are not consumed: what waits stays with the broker, where it is counted. What can never be worked off is parked with its reason.
 */
export function startIntake(given: IntakeOptions): Intake {
  const logger = createSparseLogger(given.logger);
  const options = { ...given, logger };
  const ending = new AbortController();
  const takers = IMAGING_QUEUES.map((queue) => startTaker(queue, options, ending.signal));
  const wake = (): void => {
    for (const taker of takers) taker.wake();
  };
  const listening = options.buckets.onChange(wake);
  return {
    wake,
    state: () => ({
      "imaging-primary": takers[0]?.isTaking() ? "taking" : "holding",
      "imaging-secondary": takers[1]?.isTaking() ? "taking" : "holding",
    }),
    async [Symbol.asyncDispose]() {
      listening[Symbol.dispose]();
      ending.abort();
      await Promise.all(takers.map((taker) => taker.ended));
      logger[Symbol.dispose]();
    },
  };
}

interface Taker {
  readonly ended: Promise<void>;
  wake(): void;
  isTaking(): boolean;
}

function startTaker(queue: ImagingQueue, options: IntakeOptions, signal: AbortSignal): Taker {
  const { broker, store, buckets, maximumUnfinished, logger, clock } = options;
  let consumer: QueueConsumer | undefined;
  let stopping: Promise<void> | undefined;
  let bell = new AbortController();
  const wake = (): void => bell.abort();
  const hasRoom = async (): Promise<boolean> =>
    !signal.aborted && buckets.rate > 0 && (await store.unfinishedInboxMessages(queue)) < maximumUnfinished;
  const hold = (): void => void stop().then(wake);

  /** A new consumer each time: one that lost its connection while it was closed never starts again. */
  function start(): void {
    consumer = broker.consumer(queue, ({ body, priority }) =>
      take({ queue, body, priority: priorityOf(priority) }, { ...options, hasRoom, hold, signal }),
    );
    consumer.on("error", (thrown: unknown) => {
      logger.warn("queue cannot be consumed", { queue, code: brokerError(thrown).code });
    });
    consumer.start();
  }
  /** The broker hears of it before it hears of the message at hand, so that it sends no other. */
  function stop(): Promise<void> {
    const closing = consumer?.close();
    consumer = undefined;
    // A connection that is lost meanwhile has ended its consumers.
    if (closing !== undefined) stopping = Promise.all([stopping, closing]).then(noMore, noMore);
    return stopping ?? Promise.resolve();
  }
  async function look(): Promise<void> {
    const isRoom = await hasRoom();
    if (isRoom === (consumer !== undefined)) return;
    if (!isRoom) return await stop();
    await stopping;
    start();
  }
  async function run(): Promise<void> {
    while (!signal.aborted) {
      bell = new AbortController();
      const waking = AbortSignal.any([signal, bell.signal]);
      await look().catch((thrown: unknown) => {
        logger.error("queue could not be looked at", { queue, code: toGatewayError(thrown).code });
      });
      await clock.sleep(LOOK_AGAIN_MS, waking).catch(() => undefined);
    }
    const stopped = stop();
    // Without a connection there is nothing to be told, and closing waits for one.
    if (broker.trouble === undefined) await stopped;
  }
  return { ended: run(), wake, isTaking: () => consumer !== undefined };
}

function noMore(): void {}

interface Delivery {
  readonly queue: ImagingQueue;
  readonly body: MessageBody;
  readonly priority: number;
}

interface Taking extends IntakeOptions {
  hasRoom(): Promise<boolean>;
  /** Stops the consumer. */
  hold(): void;
  readonly signal: AbortSignal;
}

/** What the broker is told of a message: acknowledged once it is stored or parked, else it keeps it. */
async function take({ queue, body, priority }: Delivery, taking: Taking): Promise<ConsumerStatus> {
  const { store, clock, logger, hasRoom, hold, signal } = taking;
  try {
    // Messages that come by HTTP may have taken the place.
    if (!(await hasRoom())) {
      hold();
      return ConsumerStatus.REQUEUE;
    }
    const bytes = bytesOf(body);
    const refusal = refusalOf(bytes);
    if (refusal === undefined) {
      const { isJoined } = await store.addInboxMessage({ queue, body: bytes, priority }, clock.nowMs());
      logger.debug("message stored", { queue, priority, joined: isJoined });
      taking.onStored?.(queue);
    } else {
      await parkMessage(taking, queue, { body: bytes, priority, failure: refusal });
    }
    if (!(await hasRoom())) hold();
    return ConsumerStatus.ACK;
  } catch (thrown) {
    logger.error("message could not be taken", { queue, code: toGatewayError(thrown).code });
    await clock.sleep(STORE_RETRY_MS, signal).catch(() => undefined);
    return ConsumerStatus.REQUEUE;
  }
}

/** Undefined: it can be worked on. */
function refusalOf(bytes: Buffer): GatewayError | undefined {
  try {
    checkKeys(deserialise(bytes));
    return undefined;
  } catch (thrown) {
    return toGatewayError(thrown);
  }
}
