/** Letters that no accent makes, as they are written where there is no key for them: Weiß, Yıldız, Łukasz, Sørensen, Đorđe, Þór, Kjær. */
const PLAIN: Readonly<Record<string, string>> = {
  ...{ ß: "ss", ı: "i", ł: "l", ø: "o", đ: "d", ð: "d", þ: "th", æ: "ae", œ: "oe", ħ: "h", ŧ: "t" },
};
const SPECIAL = /[ßıłøđðþæœħŧ]/g;
const KATAKANA = /[\u30a1-\u30f6]/g;
/** From the letters of one to those of the other. Unicode, blocks Hiragana and Katakana. */
const KATAKANA_TO_HIRAGANA = -0x60;

/** Letters of Cyrillic and Greek that look like Latin ones, in capitals for the most part, and are typed in their place. Unicode TR 39. */
const LOOKALIKES: Readonly<Record<string, string>> = {
  ...{
    а: "a",
    в: "b",
    с: "c",
    е: "e",
    н: "h",
    і: "i",
    ј: "j",
    к: "k",
    м: "m",
    о: "o",
    р: "p",
    ѕ: "s",
    т: "t",
    у: "y",
    х: "x",
  },
  ...{ α: "a", β: "b", ε: "e", ζ: "z", η: "h", ι: "i", κ: "k", ν: "n", ο: "o", ρ: "p", τ: "t", υ: "y", χ: "x" },
};
const LOOKALIKE = /[авсеніјкморѕтухαβεζηικνορτυχ]/g;
const FOREIGN_DIGIT = /[^\P{Nd}0-9]/gu;
const DIGIT = /^\p{Nd}$/u;
const RADIX = 10;

const TRANSCRIBED: Readonly<Record<string, string>> = { ä: "ae", ö: "oe", ü: "ue", å: "aa", ø: "oe" };
const TRANSCRIBABLE = /[äöüåø]/g;
const ASCII = /^[\0-\x7f]*$/;

/** Small letters and digits as whoever has no other ones writes them; katakana as hiragana. */
export function plainLetters(lowerCase: string): string {
  if (ASCII.test(lowerCase)) return lowerCase;
  return asciiDigits(lowerCase)
    .replace(SPECIAL, (letter) => PLAIN[letter] ?? letter)
    .replace(LOOKALIKE, (letter) => LOOKALIKES[letter] ?? letter)
    .replace(KATAKANA, (letter) => String.fromCharCode(letter.charCodeAt(0) + KATAKANA_TO_HIRAGANA));
}

/** Digits of any script as those of ASCII. */
export function asciiDigits(text: string): string {
  return ASCII.test(text) ? text : text.replace(FOREIGN_DIGIT, (digit) => String(digitValue(digit)));
}

export function hasForeignDigits(text: string): boolean {
  return asciiDigits(text) !== text;
}

/** The ten digits of a script follow one another, from zero on. Unicode 4.6, general category Nd. */
function digitValue(digit: string): number {
  const codePoint = digit.codePointAt(0) ?? 0;
  let before = 0;
  while (DIGIT.test(String.fromCodePoint(codePoint - before - 1))) before += 1;
  return before % RADIX;
}

/** Umlauts and their like as two letters: Mueller, Soerensen, Aase; undefined: there are none. */
export function transcribed(text: string): string | undefined {
  if (ASCII.test(text)) return undefined;
  const lowerCase = text.normalize("NFKC").toLowerCase();
  const written = lowerCase.replace(TRANSCRIBABLE, (letter) => TRANSCRIBED[letter] ?? letter);
  return written === lowerCase ? undefined : written;
}
