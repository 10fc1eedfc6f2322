/** Finds lines of a long text by a part of theirs. It holds where lines begin, four bytes each, where a Map would hold every part as a text. */
export interface LineIndex {
  /** Where the last line begins whose part that is; -1: none. */
  find(part: string): number;
}

/** Of a line "value meaning": what is before its first blank, or behind it. */
export type LinePart = "value" | "meaning";

const EMPTY = 0;
/** Of 32 bits. http://www.isthe.com/chongo/tech/comp/fnv/ */
const FNV_OFFSET = 0x811c9dc5;
const FNV_PRIME = 0x01000193;

/**
 * Of lines that each have a blank.
 * @param isMeant whether the line that begins there counts; all do by default
 */
export function indexLines(text: string, part: LinePart, isMeant: (start: number) => boolean = () => true): LineIndex {
  const starts = lineStarts(text).filter(isMeant);
  // Half empty, so that what is looked for is found, or missed, in a step or two.
  const slots = new Uint32Array(2 ** Math.ceil(Math.log2(starts.length * 2 + 2)));
  const mask = slots.length - 1;
  const slotOf = (wanted: string): number => {
    let slot = hashOf(wanted) & mask;
    for (;;) {
      const start = slots[slot] ?? EMPTY;
      if (start === EMPTY || partOf(text, start - 1, part) === wanted) return slot;
      slot = (slot + 1) & mask;
    }
  };
  for (const start of starts) slots[slotOf(partOf(text, start, part))] = start + 1;
  return { find: (wanted) => (slots[slotOf(wanted)] ?? EMPTY) - 1 };
}

function lineStarts(text: string): readonly number[] {
  const starts = [0];
  for (let end = text.indexOf("\n"); end !== -1; end = text.indexOf("\n", end + 1)) starts.push(end + 1);
  return starts;
}

/** The part of the line that begins there. */
export function partOf(text: string, start: number, part: LinePart): string {
  const blank = text.indexOf(" ", start);
  if (part === "value") return text.slice(start, blank);
  const end = text.indexOf("\n", blank);
  return text.slice(blank + 1, end === -1 ? text.length : end);
}

function hashOf(text: string): number {
  let hash = FNV_OFFSET;
  for (let index = 0; index < text.length; index += 1) hash = Math.imul(hash ^ text.charCodeAt(index), FNV_PRIME);
  return hash >>> 0;
}
