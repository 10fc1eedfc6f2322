import { createHash } from "node:crypto";
import { remembering } from "../../units/memo.ts";
import { STRUCTURE_WORDS } from "../tables/structure-words.generated.ts";
import { ENGLISH_WORDS } from "../tables/vocabulary.generated.ts";
import { dropAges, dropNamed, dropWrittenDates, type TextWord } from "./personal-words.ts";
import { hasForeignDigits, plainLetters } from "./plain-letters.ts";

/** Words that may stay in descriptions. PS3.15 E.3.5. */
export interface Vocabulary {
  /** Folded: lower case, no accents. */
  readonly words: ReadonlySet<string>;
  /** SHA-256 of the sorted words and those of structures, lower-case hexadecimal. */
  readonly hash: string;
}

const WORD = /[\p{L}\p{N}]+/gu;
const ASCII_WORD = /^[a-z0-9]+$/;
const KEPT_SEPARATOR = /^[ ._\-/+,()*:;&^=#%[\]]{1,3}$/;
const NUMBER = /^[0-9]{1,3}$/;
/** A number with what it counts. */
const MEASURE =
  /^[0-9]{1,3}(mm|cm|m|um|nm|s|sec|ms|min|h|hz|khz|mhz|kv|kvp|ma|mas|mgy|gy|cgy|mbq|ml|l|cc|mg|g|ug|t|deg|x|d|dim)$/;
const WORD_WITH_NUMBER = /^([a-z]+)[0-9]{1,3}$/;
const MATRIX = /^[0-9]{1,3}x[0-9]{1,3}$/;
const KERNEL = /^[A-Z][0-9]{2}[a-z]?$/;
const DIGITS_FIRST = /^[0-9]+/;
const DECIMALS = /^[0-9]{1,2}(?![0-9])/;
/** An identifier may have been written with blanks in it. */
const LONGEST_SPLIT = 4;

/** @param extraWords a project's own */
export function vocabularyOf(extraWords: Iterable<string> = []): Vocabulary {
  const words = new Set([...ENGLISH_WORDS.split(" "), ...[...extraWords].map((word) => foldWord(word))]);
  const hash = createHash("sha256").update(JSON.stringify([[...words].sort(), STRUCTURE_WORDS]));
  return { words, hash: hash.digest("hex") };
}

/**
 * What of a text may stay: words of the vocabulary and short numbers; not identifiers, not numbers in a row, not titles and who follows
 * them. Words keep their letter case and accents. Empty: nothing.
 * @param isIdentifier asked with folded words, and with up to four of them joined
 */
export function cleanText(text: string, vocabulary: Vocabulary, isIdentifier: (folded: string) => boolean): string {
  const usual = usualCleaning(text, vocabulary);
  return usual.asked.some(isIdentifier) ? cleanedBy(text, vocabulary, isIdentifier) : usual.text;
}

/** What becomes of a text none of whose words is an identifier, and which are asked for to know that. */
interface UsualCleaning {
  readonly text: string;
  readonly asked: readonly string[];
}

/** Most descriptions of a study are those of its other instances. */
const REMEMBERED_TEXTS = 1_000;
const REMEMBERED_LENGTH = 256;
const usualByVocabulary = new WeakMap<Vocabulary, (text: string) => UsualCleaning>();

function usualCleaning(text: string, vocabulary: Vocabulary): UsualCleaning {
  const make = (each: string): UsualCleaning => {
    const asked: string[] = [];
    const cleaned = cleanedBy(each, vocabulary, (folded) => {
      asked.push(folded);
      return false;
    });
    return { text: cleaned, asked };
  };
  if (text.length > REMEMBERED_LENGTH) return make(text);
  const usual = usualByVocabulary.get(vocabulary) ?? remembering(REMEMBERED_TEXTS, make);
  usualByVocabulary.set(vocabulary, usual);
  return usual(text);
}

function cleanedBy(text: string, vocabulary: Vocabulary, isIdentifier: (folded: string) => boolean): string {
  const all = wordsOf(text);
  const isDropped = all.map((word) => !isAllowedWord(word, vocabulary));
  dropNamed(all, isDropped, ({ key }) => vocabulary.words.has(key));
  dropAges(all, isDropped);
  dropWrittenDates(all, isDropped);
  dropNumberRuns(all, isDropped);
  dropIdentifiers(all, isDropped, isIdentifier);
  let words = withoutDropped(all, isDropped);
  // What was apart may stand side by side once something between is gone: judged again until nothing more goes.
  for (let count = words.length + 1; words.length < count; ) {
    count = words.length;
    const isNowDropped = words.map(() => false);
    dropNumberRuns(words, isNowDropped);
    dropIdentifiers(words, isNowDropped, isIdentifier);
    words = withoutDropped(words, isNowDropped);
  }
  return words.map((word, index) => (index === 0 ? word.text : word.separator + word.text)).join("");
}

/** Whether a text could have come from cleaning. */
export function isCleanText(text: string, vocabulary: Vocabulary): boolean {
  return text !== "" && usualCleaning(text, vocabulary).text === text;
}

/** The folded words of a text. */
export function foldedWords(text: string): string[] {
  return wordsOf(text).map(({ key }) => key);
}

function wordsOf(text: string): TextWord[] {
  const plain = text.normalize("NFKC");
  let end = 0;
  return [...plain.matchAll(WORD)].map((match) => {
    const separator = plain.slice(end, match.index);
    end = match.index + match[0].length;
    const [text] = match;
    return { text, key: folded(text), separator, isFollowedByDot: plain.charAt(end) === "." };
  });
}

function withoutDropped(words: readonly TextWord[], isDropped: readonly boolean[]): TextWord[] {
  return words.flatMap((word, index) => {
    if (isDropped[index] === true) return [];
    const isNeighbour = isDropped[index - 1] !== true && KEPT_SEPARATOR.test(word.separator);
    return [{ ...word, separator: isNeighbour ? word.separator : " " }];
  });
}

function isAllowedWord(word: TextWord, { words }: Vocabulary): boolean {
  const { key, text } = word;
  // Ages and sexes are told from numbers by how they are written.
  if (hasForeignDigits(text)) return false;
  if (words.has(key)) return true;
  if (!ASCII_WORD.test(key)) return false;
  if (NUMBER.test(key) || MEASURE.test(key) || MATRIX.test(key) || KERNEL.test(text)) return true;
  const [, letters] = WORD_WITH_NUMBER.exec(key) ?? [];
  return letters !== undefined && words.has(letters);
}

/** Numbers one after the other are dates, telephone numbers, identifiers; only one with decimals is a number. */
function dropNumberRuns(words: readonly TextWord[], isDropped: boolean[]): void {
  let start = 0;
  for (let index = 1; index <= words.length; index += 1) {
    const isContinued = DIGITS_FIRST.test(words[index]?.key ?? "") && /^[0-9]+$/.test(words[index - 1]?.key ?? "");
    if (isContinued) continue;
    const run = words.slice(start, index);
    if (run.length > 1 && !isDecimal(run)) isDropped.fill(true, start, index);
    start = index;
  }
}

function isDecimal(run: readonly TextWord[]): boolean {
  const [whole, decimals] = run;
  const isShort = NUMBER.test(whole?.key ?? "") && DECIMALS.test(decimals?.key ?? "");
  return run.length === 2 && decimals?.separator === "." && isShort;
}

function dropIdentifiers(
  words: readonly TextWord[],
  isDropped: boolean[],
  isIdentifier: (folded: string) => boolean,
): void {
  for (const [start] of words.entries()) {
    const letters = WORD_WITH_NUMBER.exec(words[start]?.key ?? "")?.[1];
    if (letters !== undefined && isIdentifier(letters)) isDropped[start] = true;
    let joined = "";
    for (const [offset, word] of words.slice(start, start + LONGEST_SPLIT).entries()) {
      joined += word.key;
      if (isIdentifier(joined)) isDropped.fill(true, start, start + offset + 1);
    }
  }
}

function folded(text: string): string {
  return plainLetters(text.normalize("NFD").replace(/\p{M}/gu, "").toLowerCase());
}

function foldWord(word: string): string {
  return folded(word.normalize("NFKC"));
}
