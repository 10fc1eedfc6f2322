/** Answers a consumer may be behind before the peer is held back. */
const CAPACITY = 256;

/** Passes values from a producer to one consumer; the producer waits while the consumer is far behind. */
export class Handoff<T> {
  readonly #values: T[] = [];
  #ended = false;
  #draining = false;
  #error: unknown;
  #wakeConsumer: (() => void) | undefined;
  #wakeProducer: (() => void) | undefined;

  push(value: T): void | Promise<void> {
    if (this.#draining) return;
    this.#values.push(value);
    this.#wakeConsumer?.();
    if (this.#values.length < CAPACITY) return;
    return new Promise((resolve) => {
      this.#wakeProducer = resolve;
    });
  }

  /** No more values; an error is thrown to the consumer after those already there. */
  end(error?: unknown): void {
    this.#ended = true;
    this.#error = error;
    this.#wakeConsumer?.();
  }

  /** The consumer has left: what still comes is dropped. */
  drain(): void {
    this.#draining = true;
    this.#values.length = 0;
    this.#wakeProducer?.();
  }

  get ended(): boolean {
    return this.#ended;
  }

  /** The next value; undefined at the end. */
  async next(): Promise<T | undefined> {
    while (this.#values.length === 0 && !this.#ended) {
      await new Promise<void>((resolve) => {
        this.#wakeConsumer = resolve;
      });
    }
    const value = this.#values.shift();
    if (this.#values.length < CAPACITY / 2) this.#wakeProducer?.();
    if (value === undefined && this.#error !== undefined) throw this.#error;
    return value;
  }
}
