import { setImmediate as nextTurn } from "node:timers/promises";
import { type Channel, Connection, type ConsumerHandler, type Envelope } from "rabbitmq-client";
import { GatewayError } from "../../../errors/gateway-error.ts";
import { abortAfter } from "../../../units/abort.ts";
import { type Logger, silentLogger } from "../../../units/logger.ts";
import { declarationOf, PRIORITIES } from "./queues.ts";

export interface BrokerOptions {
  /** @default localhost */
  readonly host?: string;
  /** @default 5672 */
  readonly port?: number;
  /** @default guest */
  readonly username?: string;
  /** @default guest */
  readonly password?: string;
  /** So long a connection, an answer or a confirmation is waited for. @default 10,000 */
  readonly timeoutMs?: number;
  readonly logger?: Logger;
}

export interface Publication {
  readonly queue: string;
  readonly body: Uint8Array;
  readonly priority: number;
  /** Codes and names of fields; never an identifier. */
  readonly headers?: Readonly<Record<string, string | number | boolean>>;
}

/** A RabbitMQ that may come late and go away: the connection is made again by itself. */
export interface Broker extends AsyncDisposable {
  /** Why there is no connection now; undefined while there is one. */
  readonly trouble: GatewayError | undefined;
  /**
   * Publishes persistently and resolves when the broker has confirmed it. After an error the message may have arrived all the same.
   * @throws GatewayError PIXL_BROKER_UNAVAILABLE, PIXL_BROKER_REFUSED
   */
  publish(publication: Publication): Promise<void>;
  /** Messages ready in a queue, without those that consumers hold; the queue is declared. @throws as `publish` */
  count(queue: string): Promise<number>;
  /** Deletes what is ready in a queue. @throws as `publish` */
  purge(queue: string): Promise<number>;
  /** A stopped consumer that takes one message at a time. */
  consumer(queue: string, handler: ConsumerHandler): QueueConsumer;
  /** Holds messages that are ready in a queue; those that are not removed are ready again when it is closed. @throws as `publish` */
  look(queue: string): Promise<QueueLook>;
}

export interface HeldMessage extends Publication {
  readonly headers: Readonly<Record<string, string | number | boolean>>;
}

export interface QueueLook extends AsyncDisposable {
  /** As many as were ready when it began, the most urgent first, each fetched when it is asked for. @throws as `publish` */
  messages(): AsyncIterable<HeldMessage>;
  remove(message: HeldMessage): void;
}

export interface QueueConsumer {
  on(event: "error", listener: (thrown: unknown) => void): unknown;
  start(): void;
  /** Resolves when the message at hand is dealt with. Waits for a connection where there is none. */
  close(): Promise<void>;
}

/**
 * A connection that is silent for about twice the seconds of a heartbeat is gone. RabbitMQ advises 5 to 20 s
 * (https://www.rabbitmq.com/docs/heartbeats).
 */
const UPKEEP = { retryLow: 100, retryHigh: 2_000, heartbeat: 20 } as const;
const USUAL_TIMEOUT_MS = 10_000;
/** The second one after the queue was declared again. */
const ATTEMPTS = 2;
/** What trying again cannot mend. AMQP 0-9-1 1.1. */
const REFUSALS: ReadonlySet<unknown> = new Set([
  "ACCESS_REFUSED",
  "NOT_ALLOWED",
  "PRECONDITION_FAILED",
  "RESOURCE_LOCKED",
]);

export function openBroker(options: BrokerOptions): Broker {
  const { timeoutMs = USUAL_TIMEOUT_MS, logger = silentLogger } = options;
  const connection = new Connection({
    hostname: options.host ?? "localhost",
    port: options.port ?? 5672,
    username: options.username ?? "guest",
    password: options.password ?? "guest",
    connectionName: "radferry",
    noDelay: true,
    acquireTimeout: timeoutMs,
    connectionTimeout: timeoutMs,
    ...UPKEEP,
  });
  let trouble: GatewayError | undefined = new GatewayError("PIXL_BROKER_UNAVAILABLE", { reason: "not connected yet" });
  connection.on("connection", () => {
    trouble = undefined;
    logger.info("broker connected");
  });
  connection.on("error", (thrown: unknown) => {
    trouble = brokerError(thrown);
    logger.warn("broker connection lost", { code: trouble.code, reason: reasonOf(thrown) });
  });
  const publisher = connection.createPublisher({ confirm: true });
  const declared = new Set<string>();
  /** Queues that somebody deleted: the broker gave a message for them back. */
  const returned = new Set<string>();
  publisher.on("basic.return", ({ routingKey }) => void returned.add(routingKey));

  const answered = <T>(answer: Promise<T>): Promise<T> => inTime(answer, timeoutMs, () => trouble);
  const declare = async (queue: string): Promise<number> => {
    const { messageCount } = await answered(connection.queueDeclare(declarationOf(queue)));
    declared.add(queue);
    return messageCount;
  };

  const send: Routes["send"] = (envelope, body) => answered(publisher.send(envelope, body));

  return {
    get trouble() {
      return trouble;
    },
    publish: (publication) => publishRouted(publication, { send, declare, declared, returned }),
    count: declare,
    async purge(queue) {
      await declare(queue);
      return (await answered(connection.queuePurge({ queue }))).messageCount;
    },
    consumer: (queue, handler) =>
      connection.createConsumer(
        {
          queue,
          queueOptions: declarationOf(queue),
          qos: { prefetchCount: 1 },
          concurrency: 1,
          requeue: true,
          lazy: true,
        },
        handler,
      ),
    async look(queue) {
      const count = await declare(queue);
      const channel = await answered(connection.acquire());
      return holdMessages(channel, queue, { count, answered });
    },
    async [Symbol.asyncDispose]() {
      await publisher.close().catch(() => undefined);
      await connection.close();
    },
  };
}

interface Holding {
  readonly count: number;
  answered<T>(answer: Promise<T>): Promise<T>;
}

/** The broker holds what was fetched, we no more than who asks keeps: a queue may be longer than memory. */
function holdMessages(channel: Channel, queue: string, { count, answered }: Holding): QueueLook {
  const deliveryTags = new WeakMap<HeldMessage, number>();
  return {
    async *messages() {
      for (let fetched = 0; fetched < count; fetched += 1) {
        const message = await answered(channel.basicGet({ queue })).catch(async (thrown: unknown) => {
          // What is told is why nothing came, not that a broken channel cannot be closed either.
          await answered(channel.close()).catch(() => undefined);
          throw thrown;
        });
        if (message === undefined) return;
        const { body, priority = PRIORITIES.lowest, headers = {}, deliveryTag } = message;
        const held = { queue, body: bytesOf(body), priority, headers: plainHeaders(headers) };
        deliveryTags.set(held, deliveryTag);
        yield held;
      }
    },
    remove(message) {
      const deliveryTag = deliveryTags.get(message);
      if (deliveryTag !== undefined) channel.basicAck({ deliveryTag });
      deliveryTags.delete(message);
    },
    [Symbol.asyncDispose]: () => answered(giveBack(channel, queue)),
  };
}

/**
 * Resolves when the messages are ready again. RabbitMQ answers `channel.close` before it puts back what was fetched,
 * unless the channel also consumes from the queue: who looks next would find none.
 */
async function giveBack(channel: Channel, queue: string): Promise<void> {
  try {
    await channel.basicQos({ prefetchCount: 1 });
    await channel.basicConsume({ queue }, () => undefined);
  } catch {
    // A channel that is broken consumes nothing, and its end gives back too, if later.
  }
  await channel.close();
}

/** PIXL names no content type; the library decodes what does. */
export function bytesOf(body: unknown): Buffer {
  if (Buffer.isBuffer(body)) return body;
  return Buffer.from(typeof body === "string" ? body : JSON.stringify(body));
}

/** Of what others may have added, nothing else is of use. */
function plainHeaders(headers: Readonly<Record<string, unknown>>): HeldMessage["headers"] {
  const plain: Record<string, string | number | boolean> = {};
  for (const [name, value] of Object.entries(headers)) {
    if (typeof value === "string" || typeof value === "number" || typeof value === "boolean") plain[name] = value;
  }
  return plain;
}

interface Routes {
  send(envelope: Envelope, body: Buffer): Promise<void>;
  declare(queue: string): Promise<number>;
  readonly declared: Set<string>;
  readonly returned: Set<string>;
}

async function publishRouted(publication: Publication, routes: Routes): Promise<void> {
  const { queue, body, priority, headers } = publication;
  const { send, declare, declared, returned } = routes;
  const routing = { exchange: "", routingKey: queue, mandatory: true };
  const envelope = { ...routing, durable: true, priority, ...(headers && { headers }), ...NO_TIMESTAMP };
  for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
    if (!declared.has(queue)) await declare(queue);
    await send(envelope, Buffer.from(body));
    // What comes back was confirmed too; the library tells of it a turn later.
    await nextTurn();
    if (!returned.delete(queue)) return;
    declared.delete(queue);
  }
  throw new GatewayError("PIXL_BROKER_UNAVAILABLE", { reason: "NO_ROUTE" });
}

/** The broker's answer, or an error in time: a broker that is short of memory reads on, and answers nothing. */
async function inTime<T>(
  answer: Promise<T>,
  timeoutMs: number,
  troubleNow: () => GatewayError | undefined,
): Promise<T> {
  using deadline = abortAfter(timeoutMs);
  const late = new Promise<never>((_, reject) => {
    deadline.addEventListener("abort", () => reject(deadline.reason), { once: true });
  });
  try {
    return await Promise.race([answer, late]);
  } catch (thrown) {
    // Waiting for a connection ends without saying that our password is wrong.
    const trouble = troubleNow();
    throw trouble?.code === "PIXL_BROKER_REFUSED" ? trouble : brokerError(thrown);
  }
}

/** PIXL sends none; the library would. */
const NO_TIMESTAMP: object = { timestamp: undefined };

/** What the library throws, as one of ours; its text may quote what was sent. */
export function brokerError(thrown: unknown): GatewayError {
  const reason = reasonOf(thrown);
  return new GatewayError(REFUSALS.has(reason) ? "PIXL_BROKER_REFUSED" : "PIXL_BROKER_UNAVAILABLE", { reason }, thrown);
}

function reasonOf(thrown: unknown): string {
  return thrown instanceof Error && "code" in thrown ? String(thrown.code) : "unknown";
}
