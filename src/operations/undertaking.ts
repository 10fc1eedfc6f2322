import { toGatewayError } from "../errors/gateway-error.ts";
import type { ErrorCode } from "../errors/registry.ts";
import type { Clock } from "../units/clock.ts";
import { isoTime } from "./describe.ts";

/** How far a piece of work is, and how it ended. */
export interface UndertakingState<S> {
  readonly state: "running" | "done" | "cancelled" | "failed";
  /** Why it failed. */
  readonly code: ErrorCode | null;
  readonly startedAt: string;
  readonly endedAt: string | null;
  readonly progress: { readonly done: number; readonly total: number };
  /** Null until the end. */
  readonly summary: S | null;
}

/** Work that goes on after who began it was answered; what it finds is kept in memory, in the order of its numbers. */
export interface Undertaking<I, S> {
  state(): UndertakingState<S>;
  after(number: number, limit: number): readonly I[];
  readonly endedAtMs: number | undefined;
  /** Resolves when nothing of it goes on any more. */
  stop(reason: unknown): Promise<void>;
}

export type Work<I, S> = (tell: (item: I) => void, signal: AbortSignal) => Promise<S>;

export function undertake<I extends { readonly number: number }, S>(
  total: number,
  clock: Clock,
  work: Work<I, S>,
): Undertaking<I, S> {
  const items: I[] = [];
  const stop = new AbortController();
  const startedAt = isoTime(clock.nowMs());
  let state: UndertakingState<S>["state"] = "running";
  let code: ErrorCode | null = null;
  let summary: S | null = null;
  let endedAtMs: number | undefined;
  const tell = (item: I): void => {
    // Several are asked about at once: they come nearly in order.
    let place = items.length;
    while (place > 0 && (items[place - 1]?.number ?? 0) > item.number) place -= 1;
    items.splice(place, 0, item);
  };
  const running = work(tell, stop.signal).then(
    (result) => {
      state = "done";
      summary = result;
    },
    (thrown: unknown) => {
      state = stop.signal.aborted ? "cancelled" : "failed";
      code = stop.signal.aborted ? null : toGatewayError(thrown).code;
    },
  );
  const ended = running.then(() => {
    endedAtMs = clock.nowMs();
  });
  return {
    state: () => ({
      state,
      code,
      startedAt,
      endedAt: endedAtMs === undefined ? null : isoTime(endedAtMs),
      progress: { done: items.length, total },
      summary,
    }),
    after: (number, limit) => {
      const first = items.findIndex((item) => item.number > number);
      return first === -1 ? [] : items.slice(first, first + limit);
    },
    get endedAtMs() {
      return endedAtMs;
    },
    async stop(reason) {
      stop.abort(reason);
      await ended;
    },
  };
}
