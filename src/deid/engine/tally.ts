import { formatTag, isPrivate, tagOf } from "../../dicom/tag.ts";
import { remembering } from "../../units/memo.ts";
import type { ActionName, InstanceSummary } from "../outcome.ts";
import type { OptionSet } from "../profiles/options.ts";

/** Keeps what the engine does to one instance; never a value. */
export interface Tally {
  action(tag: number, action: ActionName): void;
  unlisted(tag: number): void;
  privateElement(tag: number): void;
  note(note: string): void;
  /** These options were applied to an element of the instance. PS3.15 E.1.1. */
  apply(options: OptionSet): void;
  readonly applied: OptionSet;
  readonly notes: ReadonlyMap<string, number>;
  readonly deeds: Deeds;
  /** What is done meanwhile, which counts like everything else; undefined: too much to be told apart. */
  during(work: () => void): Deeds | undefined;
  /** Counts what was done to another instance. */
  repeat(deeds: Deeds): void;
}

/** What was done, as it can be compared and repeated. */
export interface Deeds {
  /** Each a tag and what was done to it, in that order. */
  readonly toTags: readonly number[];
  /** Earlier ones, with how often each was done: there were many. */
  readonly folded: ReadonlyMap<number, number>;
  readonly notes: ReadonlyMap<string, number>;
  readonly applied: OptionSet;
}

const ACTIONS: readonly ActionName[] = [
  ...(["kept", "replaced", "emptied", "removed", "pseudonym", "uid", "shifted", "cleaned", "added"] as const),
];
const CODES: Readonly<Record<ActionName | "unlisted" | "private", number>> = {
  ...{ kept: 0, replaced: 1, emptied: 2, removed: 3, pseudonym: 4, uid: 5, shifted: 6, cleaned: 7, added: 8 },
  ...{ unlisted: 9, private: 10 },
};
const CODES_PER_TAG = 16;
/** An object of thousands of frames has millions. */
const UNFOLDED_LIMIT = 10_000;

export function createTally(): Tally {
  const folded = new Map<number, number>();
  let toTags: number[] = [];
  let notes = new Map<string, number>();
  let applied: OptionSet = 0;
  const add = (tag: number, code: number): void => {
    if (toTags.length >= UNFOLDED_LIMIT) {
      for (const deed of toTags) count(folded, deed);
      toTags = [];
    }
    toTags.push(tag * CODES_PER_TAG + code);
  };
  return {
    action: (tag, action) => add(tag, CODES[action]),
    unlisted: (tag) => add(tag, CODES.unlisted),
    privateElement: (tag) => add(tag, CODES.private),
    note: (word) => count(notes, word),
    apply(options) {
      applied |= options;
    },
    get applied() {
      return applied;
    },
    get notes() {
      return notes;
    },
    get deeds() {
      return { toTags, folded, notes, applied };
    },
    during(work) {
      const before = { toTags, length: toTags.length, notes, applied };
      notes = new Map();
      applied = 0;
      try {
        work();
        const isTold = toTags === before.toTags;
        return isTold ? { toTags: toTags.slice(before.length), folded: NONE, notes, applied } : undefined;
      } finally {
        for (const [word, times] of notes) count(before.notes, word, times);
        notes = before.notes;
        applied |= before.applied;
      }
    },
    repeat(deeds) {
      for (const deed of deeds.toTags) toTags.push(deed);
      for (const [word, times] of deeds.notes) count(notes, word, times);
      applied |= deeds.applied;
    },
  };
}

const NONE: ReadonlyMap<number, number> = new Map();

/** The same by name. */
export function countsOf({ toTags, folded, notes }: Deeds): DeedCounts {
  const actions = new Map<string, Partial<Record<ActionName, number>>>();
  const unlisted = new Map<string, number>();
  const privateElements = new Map<string, number>();
  const add = (deed: number, times: number): void => {
    const code = deed % CODES_PER_TAG;
    const name = tagName((deed - code) / CODES_PER_TAG);
    const action = ACTIONS[code];
    if (action === undefined) {
      count(code === CODES.unlisted ? unlisted : privateElements, name, times);
      return;
    }
    const entry = actions.get(name) ?? {};
    entry[action] = (entry[action] ?? 0) + times;
    actions.set(name, entry);
  };
  for (const [deed, times] of folded) add(deed, times);
  for (const deed of toTags) add(deed, 1);
  return { actions, unlisted, privateElements, notes };
}

export type DeedCounts = Pick<InstanceSummary, "actions" | "unlisted" | "privateElements" | "notes">;

/** Whether the same was done in the same order. */
export function areSameDeeds(a: Deeds, b: Deeds): boolean {
  if (a.toTags.length !== b.toTags.length || a.notes.size !== b.notes.size || a.applied !== b.applied) return false;
  if (a.folded.size > 0 || b.folded.size > 0) return false;
  for (const [word, times] of a.notes) if (b.notes.get(word) !== times) return false;
  for (let index = 0; index < a.toTags.length; index += 1) if (a.toTags[index] !== b.toTags[index]) return false;
  return true;
}

function count<Key>(counts: Map<Key, number>, key: Key, times = 1): void {
  counts.set(key, (counts.get(key) ?? 0) + times);
}

/** About as many as PS3.6 has. */
const REMEMBERED_TAGS = 8_192;

/** "(0010,0010)"; of a private element "(0029,xx10)": its block says nothing. PS3.5 7.8.1. */
const tagName = remembering(REMEMBERED_TAGS, (tag: number) => {
  const name = formatTag(tagOf(tag));
  return isPrivate(tagOf(tag)) ? name.replace(/,[0-9A-F]{2}/, ",xx") : name;
});
