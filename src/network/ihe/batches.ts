import type { InstanceReference } from "./request.ts";

export interface BatchOptions {
  /** One request for each series, or one for all. */
  readonly grouping: "series" | "single";
  /** Requests are cut so that no more are in one. */
  readonly maximumInstances?: number | undefined;
  /** Requests are cut so that there are as many, when there are instances for it. @default 1 */
  readonly workers?: number | undefined;
}

/** Each instance once, by its SOP Instance UID, as it was named first. */
export function distinct(instances: Iterable<InstanceReference>): readonly InstanceReference[] {
  const byUid = new Map<string, InstanceReference>();
  for (const instance of instances) {
    if (!byUid.has(instance.sopInstanceUid)) byUid.set(instance.sopInstanceUid, instance);
  }
  return [...byUid.values()];
}

/** What is asked for together. Order is kept; no instances, no requests. */
export function batchesOf(
  instances: readonly InstanceReference[],
  { grouping, maximumInstances = Number.POSITIVE_INFINITY, workers = 1 }: BatchOptions,
): readonly (readonly InstanceReference[])[] {
  if (instances.length === 0) return [];
  const groups =
    grouping === "single"
      ? [instances]
      : [
          ...Map.groupBy(
            instances,
            ({ studyInstanceUid, seriesInstanceUid }) => `${studyInstanceUid}\\${seriesInstanceUid}`,
          ).values(),
        ];
  const lots = groups.map((group) => ({ group, count: Math.max(1, Math.ceil(group.length / maximumInstances)) }));
  const wanted = Math.min(workers, instances.length);
  for (let count = lots.reduce((sum, lot) => sum + lot.count, 0); count < wanted; count += 1) {
    const largest = lots.reduce((one, other) => (sizeOf(other) > sizeOf(one) ? other : one));
    largest.count += 1;
  }
  return lots.flatMap(({ group, count }) => splitInto(group, count));
}

/** Of its largest request, nearly. */
function sizeOf({ group, count }: { readonly group: readonly unknown[]; readonly count: number }): number {
  return group.length / count;
}

/** Contiguous lots whose sizes differ by one at most; fewer lots when there are fewer things. */
export function splitInto<T>(things: readonly T[], lots: number): readonly (readonly T[])[] {
  const count = Math.min(Math.max(1, lots), things.length);
  return Array.from({ length: count }, (_, index) =>
    things.slice(Math.floor((index * things.length) / count), Math.floor(((index + 1) * things.length) / count)),
  );
}
