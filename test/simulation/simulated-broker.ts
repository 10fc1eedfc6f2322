import { type ConsumerHandler, ConsumerStatus } from "rabbitmq-client";
import type { Broker, Publication, QueueConsumer } from "../../src/compat/pixl/intake/broker.ts";
import { GatewayError } from "../../src/errors/gateway-error.ts";
import type { Faults } from "./faults.ts";
import { type Life, lives, NOBODY, type Scheduler } from "./scheduler.ts";

type Client = Pick<Broker, "trouble" | "publish" | "consumer">;
type Message = Pick<Publication, "queue" | "body" | "priority">;

/** Queues that keep what is published until it is acknowledged, and give it again to others when who took it is gone. */
export interface SimulatedBroker {
  /** By the sender, who is told that it arrived. */
  put(message: Message): void;
  waiting(): readonly Message[];
  connect(): Client;
}

interface Queues {
  readonly scheduler: Scheduler;
  readonly faults: Faults;
  ready: Message[];
  readonly taken: Map<Message, Life>;
  /** Of consumers that would take another. */
  readonly pumps: Set<() => void>;
}

export function createSimulatedBroker(scheduler: Scheduler, faults: Faults): SimulatedBroker {
  const queues: Queues = { scheduler, faults, ready: [], taken: new Map(), pumps: new Set() };
  const put = (message: Message): void => {
    queues.ready.push(message);
    for (const pump of [...queues.pumps]) pump();
  };
  return {
    put,
    waiting: () => [...queues.ready, ...queues.taken.keys()],
    connect: () => ({
      trouble: undefined,
      consumer: (queue, handler) => consumerOf(queues, queue, handler),
      async publish({ queue, body, priority }) {
        await scheduler.later(scheduler.between(0.5, 10), () => undefined);
        if (faults.strikes("broker cannot be reached", 0.1)) throw new GatewayError("PIXL_BROKER_UNAVAILABLE");
        put({ queue, body, priority });
        if (faults.strikes("broker cannot be reached", 0.05)) throw new GatewayError("PIXL_BROKER_UNAVAILABLE");
      },
    }),
  };
}

/** The most urgent, and of these the first; but not always. */
function next(queues: Queues, queue: string): Message | undefined {
  const { taken, faults, scheduler } = queues;
  for (const [message, life] of taken) if (!life.isAlive && taken.delete(message)) queues.ready.push(message);
  const ofQueue = queues.ready.filter((message) => message.queue === queue);
  const [first] = ofQueue.toSorted((a, b) => b.priority - a.priority);
  if (first === undefined) return undefined;
  return ofQueue.length > 1 && faults.strikes("broker is out of order", 0.3) ? scheduler.pick(ofQueue) : first;
}

function consumerOf(queues: Queues, queue: string, handler: ConsumerHandler): QueueConsumer {
  const { scheduler, faults, taken, pumps } = queues;
  const life = lives.getStore() ?? NOBODY;
  let isRunning = false;
  let handling: Promise<void> | undefined;
  const isFree = (): boolean => isRunning && handling === undefined;
  const pump = (): void => {
    const atMs = scheduler.nowMs + scheduler.between(0.5, 20);
    if (!life.isAlive) pumps.delete(pump);
    else if (isFree()) scheduler.at(atMs, () => isFree() && deliver(), life);
  };
  const deliver = (): void => {
    const message = next(queues, queue);
    if (message === undefined) return;
    queues.ready = queues.ready.filter((each) => each !== message);
    taken.set(message, life);
    handling = handled(message).then(() => {
      handling = undefined;
      pump();
    });
  };
  const handled = async (message: Message): Promise<void> => {
    const { body, priority } = message;
    const delivered = { body: Buffer.from(body), priority } as Parameters<ConsumerHandler>[0];
    const status = await handler(delivered, noReply);
    taken.delete(message);
    const isAgain = status !== ConsumerStatus.ACK || faults.strikes("broker delivers again", 0.08);
    if (isAgain) queues.ready.push(message);
  };
  return {
    on: () => undefined,
    start() {
      isRunning = true;
      pumps.add(pump);
      pump();
    },
    async close() {
      isRunning = false;
      pumps.delete(pump);
      await handling;
    },
  };
}

function noReply(): Promise<void> {
  return Promise.resolve();
}
