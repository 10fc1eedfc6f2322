import type { DataElement, DataSet } from "./data-set.ts";
import { type Tag, tagOf } from "./tag.ts";

interface KnownFact<Fact> {
  readonly elements: readonly (DataElement | undefined)[];
  readonly fact: Fact;
}

/** Series whose instances come by turns. */
const KNOWN_LIMIT = 4;

/**
 * What follows from some elements of a data set and from nothing else, found out once for all data sets that have the very same ones.
 * @param tagNumbers of all that `tell` looks at
 */
export function factOf<Fact>(
  tagNumbers: readonly number[],
  tell: (dataSet: DataSet) => Fact,
): (dataSet: DataSet) => Fact {
  const tags: readonly Tag[] = tagNumbers.map(tagOf);
  const known: KnownFact<Fact>[] = [];
  return (dataSet) => {
    for (const each of known) if (hasThese(dataSet, tags, each.elements)) return each.fact;
    const made = { elements: tags.map((tag) => dataSet.get(tag)), fact: tell(dataSet) };
    if (known.length >= KNOWN_LIMIT) known.pop();
    known.unshift(made);
    return made.fact;
  };
}

function hasThese(dataSet: DataSet, tags: readonly Tag[], elements: readonly (DataElement | undefined)[]): boolean {
  for (let index = 0; index < tags.length; index += 1) {
    const tag = tags[index];
    if (tag === undefined || dataSet.get(tag) !== elements[index]) return false;
  }
  return true;
}
