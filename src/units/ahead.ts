/** Results of `work` over the list, in its order, with at most `limit` under way. When the caller stops, or one fails, those under way are waited for. */
export async function* ahead<T, Result>(
  list: Iterable<T>,
  limit: number,
  work: (one: T) => Promise<Result>,
): AsyncGenerator<Result> {
  const underWay: Promise<Result>[] = [];
  try {
    for (const one of list) {
      const result = work(one);
      // It is thrown when its turn comes.
      result.catch(() => undefined);
      underWay.push(result);
      const [first] = underWay;
      if (underWay.length < limit || first === undefined) continue;
      yield await first;
      underWay.shift();
    }
    for (let first = underWay[0]; first !== undefined; first = underWay[0]) {
      yield await first;
      underWay.shift();
    }
  } finally {
    await Promise.allSettled(underWay);
  }
}
