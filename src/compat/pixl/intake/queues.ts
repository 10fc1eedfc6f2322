/** Users publish to the first; what its archive does not hold goes on to the second. */
export const IMAGING_QUEUES = ["imaging-primary", "imaging-secondary"] as const;

export type ImagingQueue = (typeof IMAGING_QUEUES)[number];

/** Where messages go that can never be processed. PIXL does not know this queue: those that it counts become empty all the same. */
export const PARKED_QUEUE = "imaging-parked";

/** 1 is the lowest, and PIXL's usual one. */
export const PRIORITIES = { lowest: 1, highest: 5 } as const;

/** As PIXL's producers and consumers declare them: with any other argument the broker refuses them (PRECONDITION_FAILED). */
export function declarationOf(queue: string) {
  return { queue, durable: true, arguments: { "x-max-priority": PRIORITIES.highest } };
}

/** The priority that a message is treated with: the broker takes what is beyond the highest as the highest. */
export function priorityOf(priority: number | undefined): number {
  return Math.min(Math.max(priority ?? PRIORITIES.lowest, PRIORITIES.lowest), PRIORITIES.highest);
}
