/** What a peer brings at least, averaged over a time in which we wait for it. */
export interface MinimumRate {
  readonly bytesPerSecond: number;
  readonly overMs: number;
}

/** The slowest of lines bring a hundred times as much; a byte now and then, which no limit on silence ends, far less. */
export const MINIMUM_RATE: MinimumRate = { bytesPerSecond: 100, overMs: 300_000 };

/** Within that time. */
export function leastBytes({ bytesPerSecond, overMs }: MinimumRate): number {
  return (overMs / 1_000) * bytesPerSecond;
}

export interface RateWatch extends Disposable {
  heard(bytes: number): void;
  /** While the peer is held back its time does not count. */
  hold(isHeld: boolean): void;
}

/** Tells once when the peer is slower. From now on it is waited for, until disposed. */
export function watchRate(rate: MinimumRate, onSlow: () => void): RateWatch {
  const { overMs } = rate;
  let heardBytes = 0;
  let leftMs = overMs;
  let sinceMs = 0;
  let timer: NodeJS.Timeout | undefined;
  let isOver = false;
  const look = (): void => {
    timer = undefined;
    isOver = heardBytes < leastBytes(rate);
    heardBytes = 0;
    leftMs = overMs;
    if (isOver) onSlow();
    else wait();
  };
  const wait = (): void => {
    sinceMs = performance.now();
    timer = setTimeout(look, leftMs).unref();
  };
  wait();
  return {
    heard(bytes) {
      heardBytes += bytes;
    },
    hold(isHeld) {
      if (isOver || isHeld === (timer === undefined)) return;
      if (!isHeld) return wait();
      clearTimeout(timer);
      timer = undefined;
      leftMs = Math.max(0, leftMs - (performance.now() - sinceMs));
    },
    [Symbol.dispose]() {
      isOver = true;
      clearTimeout(timer);
    },
  };
}
