/** Words of the field whose plural does not end with one more s. */
const PLURALS: Readonly<Record<string, string>> = {
  entry: "entries",
  query: "queries",
  series: "series",
  study: "studies",
};

/** A number with its word: "1 study", "2 studies". What stands before the word may be more than one: "audit record". */
export function counted(count: number | string, words: string): string {
  if (Number(count) === 1) return `${count} ${words}`;
  const [last = "", ...before] = words.split(" ").reverse();
  return [count, ...before.reverse(), PLURALS[last] ?? `${last}s`].join(" ");
}

/** With its verb: "1 study is", "2 studies are". */
export function areCounted(count: number, words: string): string {
  return `${counted(count, words)} ${count === 1 ? "is" : "are"}`;
}
