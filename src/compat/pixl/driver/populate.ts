import type { Clock } from "../../../units/clock.ts";
import type { Database } from "../database/connection.ts";
import { addImages, countExported } from "../database/images.ts";
import type { Broker } from "../intake/broker.ts";
import { IMAGING_QUEUES } from "../intake/queues.ts";
import type { ExtractRow } from "./extract.ts";
import { publishTo } from "./publish.ts";

export interface PopulateOptions {
  readonly queues: readonly string[];
  readonly priority: number;
  /** How often what was not exported is asked for again, once the queues are empty. */
  readonly retries: number;
  /** From empty queues until exports are counted. */
  readonly retryAfterMs: number;
  /** How often queues are looked at. @default 60,000, as PIXL */
  readonly lookEveryMs?: number;
  readonly signal: AbortSignal;
  readonly onProgress?: (progress: PopulateProgress) => void;
}

export type PopulateProgress =
  | { readonly step: "published"; readonly round: number; readonly messages: number }
  | { readonly step: "waiting"; readonly ready: number }
  | { readonly step: "exported"; readonly studies: number };

export interface PopulateReport {
  /** Messages of each round, the first one first. */
  readonly published: readonly number[];
  /** Studies of these projects that are exported; undefined when it was not waited for. */
  readonly exported: number | undefined;
}

const USUAL_LOOK_MS = 60_000;
const PARAMETER_ROWS = 5_000;

/**
 * Asks for what a database does not know as exported, and again as long as each round brings more exports.
 * @throws GatewayError PIXL_BROKER_UNAVAILABLE, PIXL_BROKER_REFUSED, PIXL_DATABASE_UNAVAILABLE, PIXL_DATABASE_REFUSED; the signal's reason
 */
export async function populate(
  rows: readonly ExtractRow[],
  world: { readonly broker: Pick<Broker, "publish" | "count">; readonly database: Database; readonly clock: Clock },
  options: PopulateOptions,
): Promise<PopulateReport> {
  const { broker, database, clock } = world;
  const { queues, retries, signal, onProgress = () => undefined } = options;
  const published: number[] = [];
  const publish = async (): Promise<void> => {
    const wanted = await notExported(database, rows);
    let messages = 0;
    for (const queue of queues) messages += await publishTo(broker, wanted, { ...options, queue });
    published.push(messages);
    onProgress({ step: "published", round: published.length, messages });
  };
  await publish();
  const slugs = [...new Set(rows.map(({ message }) => message.projectName))];
  let exported: number | undefined;
  for (let retry = 0; retry < retries; retry += 1) {
    await queuesEmpty(broker, clock, options);
    await clock.sleep(options.retryAfterMs, signal);
    const now = await countExported(database, slugs);
    onProgress({ step: "exported", studies: now });
    // As in PIXL: the first comparison is with none.
    const isMore = now !== (exported ?? 0);
    exported = now;
    if (!isMore) break;
    await publish();
  }
  return { published, exported };
}

async function notExported(database: Database, rows: readonly ExtractRow[]) {
  const wanted = [];
  for (const [slug, ofProject] of Map.groupBy(rows, ({ message }) => message.projectName)) {
    for (let from = 0; from < ofProject.length; from += PARAMETER_ROWS) {
      const batch = ofProject.slice(from, from + PARAMETER_ROWS);
      const images = batch.map(({ message, participantId }) => ({ ...message, participantId }));
      const places = await addImages(database, slug, images);
      wanted.push(...places.flatMap((place) => batch[place]?.message ?? []));
    }
  }
  return wanted;
}

/** What a queue's archive does not hold goes on to the second queue. */
async function queuesEmpty(broker: Pick<Broker, "count">, clock: Clock, options: PopulateOptions): Promise<void> {
  const { queues, lookEveryMs = USUAL_LOOK_MS, signal, onProgress = () => undefined } = options;
  const [primary, secondary] = IMAGING_QUEUES;
  const watched = new Set(queues.includes(primary) ? [...queues, secondary] : queues);
  for (;;) {
    signal.throwIfAborted();
    let ready = 0;
    for (const queue of watched) ready += await broker.count(queue);
    if (ready === 0) return;
    onProgress({ step: "waiting", ready });
    await clock.sleep(lookEveryMs, signal);
  }
}
