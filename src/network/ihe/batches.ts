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
  const forWorkers = groups.length >= workers ? maximumInstances : Math.ceil(instances.length / workers);
  const most = Math.min(maximumInstances, forWorkers);
  return groups.flatMap((group) => splitInto(group, Math.ceil(group.length / most)));
}

/** Contiguous lots whose sizes differ by one at most; fewer lots when there are fewer things. */
export function splitInto<T>(things: readonly T[], lots: number): readonly (readonly T[])[] {
  const count = Math.min(Math.max(1, lots), things.length);
  return Array.from({ length: count }, (_, index) =>
    things.slice(Math.floor((index * things.length) / count), Math.floor(((index + 1) * things.length) / count)),
  );
}
