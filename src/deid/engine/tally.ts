import { formatTag, tagOf } from "../../dicom/tag.ts";
import type { ActionName } from "../outcome.ts";

/** Counts what the engine does to one instance; never a value. */
export interface Tally {
  action(tag: number, action: ActionName): void;
  unlisted(tag: number): void;
  privateElement(tag: number): void;
  note(note: string): void;
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
  const count = (map: Map<string, number>, key: string): void => {
    map.set(key, (map.get(key) ?? 0) + 1);
  };

  return {
    action(tag, action) {
      const key = formatTag(tagOf(tag));
      const entry = actions.get(key) ?? {};
      entry[action] = (entry[action] ?? 0) + 1;
      actions.set(key, entry);
    },
    unlisted: (tag) => count(unlistedCounts, formatTag(tagOf(tag))),
    privateElement: (tag) => count(privateCounts, formatTag(tagOf(tag)).replace(/,[0-9A-F]{2}/, ",xx")),
    note: (note) => count(notes, note),
    actions,
    unlistedCounts,
    privateCounts,
    notes,
  };
}
