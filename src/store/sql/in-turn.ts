/** What comes of each item, one after the other: a session answers one question at a time. */
export async function inTurn<T, R>(items: readonly T[], act: (item: T) => Promise<R> | R): Promise<R[]> {
  const results: R[] = [];
  for (const item of items) results.push(await act(item));
  return results;
}
