import type { IncomingMessage, ServerResponse } from "node:http";
import { leastBytes, type MinimumRate, type RateWatch, watchRate } from "../units/minimum-rate.ts";

export interface BodyLimits {
  /** The body is to be whole by then. */
  readonly wholeMs: number;
  readonly slowest: MinimumRate;
  /** What the connection's own limit on silence is. */
  readonly idleMs: number;
}

/**
 * A body that is not whole in time is not waited for, nor one that comes so slowly that it will not be. While we read nothing of it, as our disk is
 * busy, its sender is neither slow nor silent; nor while he waits for the answer.
 */
export function limitBody(raw: IncomingMessage, response: ServerResponse, limits: BodyLimits, cut: () => void): void {
  const { wholeMs, slowest, idleMs } = limits;
  const { socket } = raw;
  let isHeld = false;
  let rate: RateWatch;
  const end = (): void => {
    stop();
    cut();
  };
  // One that nobody reads is whole without a word.
  const timer = setTimeout(() => (raw.complete ? stop() : end()), wholeMs);
  // By the socket's own count: who listens to the body takes it from the one that it is for.
  const watch = (): void => {
    const beforeBytes = socket.bytesRead;
    rate = watchRate(slowest, () => {
      if (raw.complete) return;
      if (socket.bytesRead - beforeBytes < leastBytes(slowest)) end();
      else watch();
    });
    rate.hold(isHeld);
  };
  // The server pauses a connection of whose request enough awaits its reader, and resumes it when that goes on.
  const hold = (isNowHeld: boolean) => (): void => {
    isHeld = isNowHeld;
    rate.hold(isHeld);
  };
  const held = hold(true);
  const released = hold(false);
  const stop = (): void => {
    clearTimeout(timer);
    rate[Symbol.dispose]();
    socket.off("pause", held).off("resume", released);
    // Nobody tells any more when it goes on.
    isHeld = false;
  };
  watch();
  limitSilence(raw, response, idleMs, () => isHeld);
  socket.on("pause", held).on("resume", released);
  raw.once("end", stop);
  response.once("close", stop);
}

/** Who is silent is cut, but not who waits for the beginning of our answer; nor while we read nothing of him. */
export function limitSilence(
  raw: IncomingMessage,
  response: ServerResponse,
  idleMs: number,
  isHeld: () => boolean = () => false,
): void {
  const { socket } = raw;
  // Who listens decides whether the connection ends.
  response.on("timeout", () => {
    const isOurs = isHeld() || (raw.complete && !response.headersSent);
    if (isOurs) socket.setTimeout(idleMs);
    else socket.destroy();
  });
}
