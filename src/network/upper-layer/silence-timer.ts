/** A sender over a slow line has ten times as much. */
const SLOW_BYTES_PER_SECOND = 1_000;
/** Who pauses in between for shorter is not slow. */
const SLOW_AFTER_MS = 60_000;

/**
 * Runs out when a peer we wait for stays silent. Waiting is counted, so that several parties can wait at once;
 * while held (we are the slow ones) the time does not count. One timer, re-armed lazily: `touch` costs a clock reading.
 */
export class SilenceTimer {
  readonly #timeoutMs: number;
  readonly #onExpired: () => void;
  #waiting = 0;
  #held = 0;
  #lastHeardMs = 0;
  #timer: NodeJS.Timeout | undefined;
  /** Time that the peer took for these bytes. */
  #measured = { ms: 0, bytes: 0 };
  #wasSlow = false;

  constructor(timeoutMs: number, onExpired: () => void) {
    this.#timeoutMs = timeoutMs;
    this.#onExpired = onExpired;
  }

  touch(): void {
    this.#lastHeardMs = performance.now();
  }

  heard(bytes: number): void {
    this.#measured.ms += this.#waitedMs;
    this.#measured.bytes += bytes;
    this.touch();
    if (this.#measured.ms < SLOW_AFTER_MS) return;
    this.#wasSlow = this.isSlow;
    this.#measured = { ms: 0, bytes: 0 };
  }

  /** What is heard from here on is measured by itself. */
  measureAnew(): void {
    this.#measured = { ms: 0, bytes: 0 };
    this.#wasSlow = false;
  }

  /** The peer took long for little; time in which it was held back does not count. */
  get isSlow(): boolean {
    const ms = this.#measured.ms + this.#waitedMs;
    if (ms < SLOW_AFTER_MS) return this.#wasSlow;
    return this.#measured.bytes < (ms / 1_000) * SLOW_BYTES_PER_SECOND;
  }

  /** Starts to wait for the peer until disposed. */
  wait(): Disposable {
    this.touch();
    return this.#counted(1, 0);
  }

  /** Stops the clock until disposed. */
  hold(): Disposable {
    return this.#counted(0, 1);
  }

  stop(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#waiting = Number.NEGATIVE_INFINITY;
  }

  #counted(waiting: number, held: number): Disposable {
    this.#change(waiting, held);
    let done = false;
    return {
      [Symbol.dispose]: () => {
        if (done) return;
        done = true;
        this.#change(-waiting, -held);
      },
    };
  }

  #change(waiting: number, held: number): void {
    const wasRunning = this.#running;
    this.#waiting += waiting;
    this.#held += held;
    if (this.#running && !wasRunning) {
      this.touch();
      this.#timer ??= setTimeout(() => this.#check(), this.#timeoutMs);
    }
  }

  get #waitedMs(): number {
    return this.#running ? performance.now() - this.#lastHeardMs : 0;
  }

  get #running(): boolean {
    return this.#waiting > 0 && this.#held === 0;
  }

  #check(): void {
    this.#timer = undefined;
    if (!this.#running) return;
    const silentMs = performance.now() - this.#lastHeardMs;
    // A millisecond of slack: timers fire early by fractions.
    if (silentMs + 1 >= this.#timeoutMs) this.#onExpired();
    else this.#timer = setTimeout(() => this.#check(), this.#timeoutMs - silentMs);
  }
}
