/** Runs `work` over the list, at most `limit` at once. After a failure nothing further is begun; the first failure is thrown once all that ran has ended. */
export async function concurrently<T>(
  list: Iterable<T>,
  limit: number,
  work: (one: T) => Promise<void>,
): Promise<void> {
  const iterator = list[Symbol.iterator]();
  const failures: unknown[] = [];
  const lane = async (): Promise<void> => {
    for (let next = iterator.next(); !next.done && failures.length === 0; next = iterator.next()) {
      await work(next.value).catch((thrown: unknown) => failures.push(thrown));
    }
  };
  await Promise.all(Array.from({ length: limit }, lane));
  if (failures.length > 0) throw failures[0];
}
