/** Users publish to the first; what its archive does not hold goes on to the second. */
export const IMAGING_QUEUES = ["imaging-primary", "imaging-secondary"] as const;

export type ImagingQueue = (typeof IMAGING_QUEUES)[number];

/** Where messages go that can never be worked off. PIXL does not know it, and counts its own queues as empty. */
export const PARKED_QUEUE = "imaging-parked";

/** 1 is the lowest, and PIXL's usual one. */
export const PRIORITIES = { lowest: 1, highest: 5 } as const;

/** As PIXL's producers and consumers declare them: with any other argument the broker refuses them (PRECONDITION_FAILED). */
export function declarationOf(queue: string) {
  return { queue, durable: true, arguments: { "x-max-priority": PRIORITIES.highest } };
}

/** As the broker takes it: what is beyond the highest counts as the highest. */
export function priorityOf(priority: number | undefined): number {
  return Math.min(Math.max(priority ?? PRIORITIES.lowest, PRIORITIES.lowest), PRIORITIES.highest);
}
