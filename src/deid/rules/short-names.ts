import { foldedWords } from "./clean-text.ts";

/** Names and numbers too short to be searched for within other text, but not as a word of their own: Li, Ng, Wu; 471, 4711. */
const SHORT_WORD = /^(?:\p{L}{2}|[0-9]{3,4})$/u;

/** Scripts in which two characters are a name, and are searched for as any other. */
export const SHORT_SCRIPTS = /[\p{Script=Han}\p{Script=Hangul}\p{Script=Hiragana}\p{Script=Katakana}]/u;

export function isShortWord(folded: string): boolean {
  return SHORT_WORD.test(folded) && !SHORT_SCRIPTS.test(folded);
}

/** Whether a word of the text, not a part of one, is the patient's name or number and too short to be found otherwise. */
export function holdsShortName(text: string, isPatients: (text: string) => boolean): boolean {
  return foldedWords(text).some((word) => isShortWord(word) && isPatients(word));
}
