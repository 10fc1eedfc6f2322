import { formatTag, isPrivate, tagOf } from "../../dicom/tag.ts";
import { remembering } from "../../units/memo.ts";
import type { ActionName } from "../outcome.ts";
import type { OptionSet } from "../profiles/options.ts";

/** Counts what the engine does to one instance; never a value. */
export interface Tally {
  action(tag: number, action: ActionName): void;
  unlisted(tag: number): void;
  privateElement(tag: number): void;
  note(note: string): void;
  /** These options were applied to an element of the instance. PS3.15 E.1.1. */
  apply(options: OptionSet): void;
  readonly applied: OptionSet;
  readonly actions: ReadonlyMap<string, Readonly<Partial<Record<ActionName, number>>>>;
  readonly unlistedCounts: ReadonlyMap<string, number>;
  readonly privateCounts: ReadonlyMap<string, number>;
  readonly notes: ReadonlyMap<string, number>;
}

export function createTally(): Tally {
  const actions = new Map<string, Partial<Record<ActionName, number>>>();
  const unlistedCounts = new Map<string, number>();
  const privateCounts = new Map<string, number>();
  const notes = new Map<string, number>();
  let applied: OptionSet = 0;
  const count = (map: Map<string, number>, key: string): void => {
    map.set(key, (map.get(key) ?? 0) + 1);
  };

  return {
    action(tag, action) {
      const key = tagName(tag);
      const entry = actions.get(key) ?? {};
      entry[action] = (entry[action] ?? 0) + 1;
      actions.set(key, entry);
    },
    unlisted: (tag) => count(unlistedCounts, tagName(tag)),
    privateElement: (tag) => count(privateCounts, tagName(tag)),
    note: (note) => count(notes, note),
    apply(options) {
      applied |= options;
    },
    get applied() {
      return applied;
    },
    actions,
    unlistedCounts,
    privateCounts,
    notes,
  };
}

/** About as many as PS3.6 has. */
const REMEMBERED_TAGS = 8_192;

/** "(0010,0010)"; of a private element "(0029,xx10)": its block says nothing. PS3.5 7.8.1. */
const tagName = remembering(REMEMBERED_TAGS, (tag: number) => {
  const name = formatTag(tagOf(tag));
  return isPrivate(tagOf(tag)) ? name.replace(/,[0-9A-F]{2}/, ",xx") : name;
});
