/** When what failed is tried again: after four seconds, eight, sixteen, ... five minutes at most. A process that begins tries at once. */
export interface Waits {
  isDue(id: string): boolean;
  failed(id: string): void;
  forget(id: string): void;
}

const FIRST_WAIT_MS = 4_000;
const LONGEST_WAIT_MS = 300_000;

export function createWaits(nowMs: () => number): Waits {
  const waiting = new Map<string, { readonly waitMs: number; readonly dueAtMs: number }>();
  return {
    isDue: (id) => (waiting.get(id)?.dueAtMs ?? 0) <= nowMs(),
    failed(id) {
      const waitMs = Math.min(LONGEST_WAIT_MS, (waiting.get(id)?.waitMs ?? FIRST_WAIT_MS / 2) * 2);
      waiting.set(id, { waitMs, dueAtMs: nowMs() + waitMs });
    },
    forget: (id) => void waiting.delete(id),
  };
}
