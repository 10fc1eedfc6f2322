/** Letters that no accent makes, as they are written where there is no key for them: Weiß, Yıldız, Łukasz, Sørensen, Đorđe, Þór, Kjær. */
const PLAIN: Readonly<Record<string, string>> = {
  ...{ ß: "ss", ı: "i", ł: "l", ø: "o", đ: "d", ð: "d", þ: "th", æ: "ae", œ: "oe", ħ: "h", ŧ: "t" },
};
const SPECIAL = /[ßıłøđðþæœħŧ]/g;
const KATAKANA = /[\u30a1-\u30f6]/g;
/** From the letters of one to those of the other. Unicode, blocks Hiragana and Katakana. */
const KATAKANA_TO_HIRAGANA = -0x60;

const TRANSCRIBED: Readonly<Record<string, string>> = { ä: "ae", ö: "oe", ü: "ue", å: "aa", ø: "oe" };
const TRANSCRIBABLE = /[äöüåø]/g;
const ASCII = /^[\0-\x7f]*$/;

/** Small letters as whoever has no other ones writes them; katakana as hiragana. */
export function plainLetters(lowerCase: string): string {
  if (ASCII.test(lowerCase)) return lowerCase;
  return lowerCase
    .replace(SPECIAL, (letter) => PLAIN[letter] ?? letter)
    .replace(KATAKANA, (letter) => String.fromCharCode(letter.charCodeAt(0) + KATAKANA_TO_HIRAGANA));
}

/** Umlauts and their like as two letters: Mueller, Soerensen, Aase; undefined: there are none. */
export function transcribed(text: string): string | undefined {
  if (ASCII.test(text)) return undefined;
  const lowerCase = text.normalize("NFKC").toLowerCase();
  const written = lowerCase.replace(TRANSCRIBABLE, (letter) => TRANSCRIBED[letter] ?? letter);
  return written === lowerCase ? undefined : written;
}
