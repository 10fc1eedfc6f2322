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

export function throughput(session: Session, span: ThroughputSpan, from: number): readonly ThroughputCount[] {
  return session.all("throughput", { span, from }).map(throughputCount);
}

/** Counts a study of which something was delivered, and forgets buckets that nobody is shown any more. */
export function countDelivered(session: Session, jobNo: number, delivered: DeliveredCounts, nowMs: number): void {
  const { instances, bytes } = delivered;
  for (const span of THROUGHPUT_SPANS) {
    const startedAt = bucketStartMs(span, nowMs);
    const { ms, kept } = THROUGHPUT_BUCKETS[span];
    session.run("countDelivered", { jobNo, span, startedAt, instances, bytes });
    session.run("forgetThroughput", { span, before: startedAt - ms * kept });
  }
}
