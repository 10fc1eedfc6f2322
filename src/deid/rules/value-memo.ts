import type { Treatment } from "./rule.ts";

/** Answers that follow from a treatment and the bytes of a value: the slices of a series mostly hold the same. */
export type ValueMemo<Answer> = (treatment: Treatment, how: string, bytes: Uint8Array, make: () => Answer) => Answer;

/** Less than a megabyte in all. Longer values are seldom the same twice. */
const REMEMBERED_VALUES = 2_000;
const LONGEST_BYTES = 128;

/** @returns a memo of its own, in which `how` is whatever else the answer follows from; no answer is undefined */
export function createValueMemo<Answer extends object | boolean>(): ValueMemo<Answer> {
  const answers = new Map<string, Answer>();
  const numbers = new WeakMap<Treatment, number>();
  let count = 0;
  const numberOf = (treatment: Treatment): number => {
    const known = numbers.get(treatment) ?? ++count;
    if (known === count) numbers.set(treatment, known);
    return known;
  };
  return (treatment, how, bytes, make) => {
    if (bytes.length > LONGEST_BYTES) return make();
    const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("latin1");
    const key = `${numberOf(treatment)} ${how} ${text}`;
    const known = answers.get(key);
    if (known !== undefined) return known;
    if (answers.size >= REMEMBERED_VALUES) answers.clear();
    const made = make();
    answers.set(key, made);
    return made;
  };
}
