import { GatewayError } from "../errors/gateway-error.ts";
import { bucketStartMs, THROUGHPUT_BUCKETS, type ThroughputSpan } from "../store/throughput.ts";
import { maySeeProject } from "../units/actor.ts";
import type { OperationsContext } from "./context.ts";
import { isoTime } from "./describe.ts";
import type { ThroughputDocument } from "./insight-operations.ts";

/** See `InsightOperations.throughput`. */
export async function throughput(
  { store, actor, clock, projects }: OperationsContext,
  { span, project }: { readonly span: ThroughputSpan; readonly project?: string | undefined },
): Promise<ThroughputDocument> {
  if (project !== undefined && !projects.has(project)) throw new GatewayError("PROJECT_UNKNOWN", { project });
  const { ms, kept } = THROUGHPUT_BUCKETS[span];
  const firstMs = bucketStartMs(span, clock.nowMs()) - (kept - 1) * ms;
  const counts = (await store.throughput(span, firstMs)).filter(
    (count) => maySeeProject(actor, count.project) && (project ?? count.project) === count.project,
  );
  const byStart = Map.groupBy(counts, ({ startedAtMs }) => startedAtMs);
  const buckets = Array.from({ length: kept }, (_, index) => {
    const startedAtMs = firstMs + index * ms;
    const sum = { at: isoTime(startedAtMs), studies: 0, instances: 0, bytes: 0 };
    for (const { studies, instances, bytes } of byStart.get(startedAtMs) ?? []) {
      sum.studies += studies;
      sum.instances += instances;
      sum.bytes += bytes;
    }
    return sum;
  });
  return { span, buckets };
}
