/** What several sequences give, as it comes; no more than one item of each is waiting. Who leaves early ends them all. */
export async function* merged<T>(sequences: readonly AsyncGenerator<T, void>[]): AsyncGenerator<T, void> {
  const waiting = new Map<AsyncGenerator<T, void>, Promise<[AsyncGenerator<T, void>, IteratorResult<T, void>]>>();
  const ask = (sequence: AsyncGenerator<T, void>): void => {
    const next = sequence.next().then((result): [typeof sequence, typeof result] => [sequence, result]);
    // Another sequence's failure may come first: this one's is then nobody's business.
    next.catch(() => undefined);
    waiting.set(sequence, next);
  };
  sequences.forEach(ask);
  try {
    while (waiting.size > 0) {
      const [sequence, { done, value }] = await Promise.race(waiting.values());
      waiting.delete(sequence);
      if (done === true) continue;
      yield value;
      ask(sequence);
    }
  } finally {
    await Promise.allSettled(sequences.map((sequence) => sequence.return()));
  }
}
