import {
  bucketStartMs,
  type DeliveredCounts,
  THROUGHPUT_BUCKETS,
  THROUGHPUT_SPANS,
  type ThroughputCount,
  type ThroughputSpan,
} from "../throughput.ts";
import { integer, recordReader, text } from "./columns.ts";
import type { Session } from "./session.ts";

const throughputCount = recordReader<ThroughputCount>({
  startedAtMs: integer,
  project: text,
  studies: integer,
  instances: integer,
  bytes: integer,
});

export async function throughput(
  session: Session,
  span: ThroughputSpan,
  from: number,
): Promise<readonly ThroughputCount[]> {
  return (await session.all("throughput", { span, from })).map(throughputCount);
}

/** Counts a study of which something was delivered, and forgets buckets that nobody is shown any more. */
export async function countDelivered(
  session: Session,
  jobNo: number,
  delivered: DeliveredCounts,
  nowMs: number,
): Promise<void> {
  const { instances, bytes } = delivered;
  for (const span of THROUGHPUT_SPANS) {
    const startedAt = bucketStartMs(span, nowMs);
    const { ms, kept } = THROUGHPUT_BUCKETS[span];
    await session.run("countDelivered", { jobNo, span, startedAt, instances, bytes });
    await session.run("forgetThroughput", { span, before: startedAt - ms * kept });
  }
}
