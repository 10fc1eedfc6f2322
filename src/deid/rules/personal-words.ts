/** A word of a text as far as it tells whether a person, an age or a date is spoken of. */
export interface TextWord {
  /** As it is written, in its composed form. */
  readonly text: string;
  /** Folded: lower case, no accents. */
  readonly key: string;
  /** What stands between the word before and this one. */
  readonly separator: string;
  readonly isFollowedByDot: boolean;
}

/** Somebody is named behind these: English, German, French, Spanish, Portuguese, Italian, Dutch, Scandinavian. */
const TITLES = new Set(
  `dr drs dra doctor doktor docteur dott dottor dottore dottssa prof professor professeur profesor profesora mrs miss sir madam master
  herr herrn hrn frau frl fraulein familie mme mlle madame mademoiselle monsieur messieurs signor signora signore signorina sig sigra
  sra srta senor senora senorita dhr mevr mw mevrouw meneer fru froken nurse sister schwester rev reverend pastor father hon capt sgt`
    .trim()
    .split(/\s+/),
);
/** Written in capitals alone these are a modality, a report, high resolution. */
const ABBREVIATIONS = new Set(["mr", "sr", "hr", "fr"]);
/** Parts of a title that come before the name: of medicine, honorary, of engineering. */
const DEGREES = new Set(
  "med dent vet phil rer nat habil hc h c jur ing dipl univ priv doz sci oec psych msc bsc mba".split(" "),
);
/** Parts of a family name that are written before it. */
const PARTICLES = new Set(
  "von vom van der den de del della di da dos das du la le el al bin ibn ben zu zum zur ter ten st".split(" "),
);
/** Somebody is named in front of these. */
const POST_NOMINALS = new Set("phd frcr frcs frcp mbbs mbchb mbbch dds dmd dnp".split(" "));
/** Numbers before these are ages. */
const AGE_UNITS = new Set(
  "y yo yr yrs year years yearold old jahr jahre jahren jahrig jahrige jahriger ans annee annees ano anos anni jaar j jr jhr ar let vuotta".split(
    " ",
  ),
);
/** Numbers behind these are. */
const AGE_LABELS = new Set("age aged ages alter edad eta leeftijd idade".split(" "));
/** Numbers beside these are. */
const SEXES = new Set(
  "male female man woman mann frau homme femme hombre mujer boy girl lady gentleman weiblich mannlich".split(" "),
);
const SEX_LETTER = /^[MFW]$/;
/** A sex and an age in one word: F95, 95M. A number of metres has three digits seldom, and is written in small letters. */
const SEX_AND_AGE =
  /^(?:[FMWfmw](?:[1-9][0-9]|1[0-9]{2})|(?:[1-9][0-9]|1[0-9]{2})[MFWfw]|(?:9[0-9]|1[01][0-9])m)[yY]?$/;
const NUMBER = /^[0-9]+$/;
/** The day of a month, as a number or with what makes it one. */
const DAY = /^[0-9]{1,4}(?:st|nd|rd|th)?$/;
const MONTHS = new Set(
  `jan feb mar apr may jun jul aug sep sept oct nov dec january february march april june july august september october november december
  januar februar marz mai juni juli oktober okt dezember dez janvier fevrier mars avril juin juillet aout septembre octobre novembre decembre
  enero febrero marzo abril mayo junio julio agosto septiembre octubre noviembre diciembre gennaio febbraio aprile maggio giugno luglio
  settembre ottobre dicembre januari februari maart mei augustus`
    .trim()
    .split(/\s+/),
);
const ROMAN_MONTH = /^(?:i{1,3}|iv|vi{0,3}|ix|xi{0,2})$/;
const DATE_SEPARATOR = /^[./\- ]{1,2}$/;
/** Names of a person one behind the other, beyond titles, degrees and initials. */
const NAMES_LIMIT = 2;

/** "MR" is a modality and "ms" a unit unless they are written as titles are; "M." is a gentleman in front of a name. */
function isTitle({ key, text, isFollowedByDot }: TextWord, next?: TextWord): boolean {
  if (ABBREVIATIONS.has(key)) return text !== text.toUpperCase() || isFollowedByDot;
  if (key === "ms") return text === "Ms" || isFollowedByDot;
  if (key === "m") return text === "M" && isFollowedByDot && isTitleCase(next);
  return TITLES.has(key);
}

/** Drops who is named beside a title, and the title; `isKnown`: the word is no name by itself. */
export function dropNamed(
  words: readonly TextWord[],
  isDropped: boolean[],
  isKnown: (word: TextWord) => boolean,
): void {
  let expected = 0;
  let isNamed = false;
  for (const [index, word] of words.entries()) {
    const isJoined: boolean = isNamed && word.separator === "-";
    isNamed = false;
    if (isTitle(word, words[index + 1])) {
      isDropped[index] = true;
      expected = NAMES_LIMIT;
    } else if (expected > 0 || isJoined) {
      const isPart = DEGREES.has(word.key) || PARTICLES.has(word.key) || word.key.length === 1;
      const isFirst = expected === NAMES_LIMIT;
      isNamed = isFirst || isPart || isJoined || isWrittenLike(words[index - 1], word);
      if (isNamed) isDropped[index] = true;
      // An initial, a degree or a particle, and then the name; behind a first name the next one.
      if (!isPart) expected = isFirst && !isKnown(word) ? 1 : 0;
    }
    if (POST_NOMINALS.has(word.key)) isDropped.fill(true, Math.max(0, index - 1), index + 1);
  }
}

/** Drops numbers that are somebody's age. */
export function dropAges(words: readonly TextWord[], isDropped: boolean[]): void {
  const isNumber = (index: number): boolean => NUMBER.test(words[index]?.key ?? "");
  const isAdult = (index: number): boolean => (words[index]?.key ?? "").length > 1;
  for (const [index, { key, text }] of words.entries()) {
    if (SEX_AND_AGE.test(text)) isDropped[index] = true;
    if (AGE_UNITS.has(key) && index > 0) isDropped[index - 1] = true;
    if (AGE_LABELS.has(key) && isNumber(index + 1)) isDropped[index + 1] = true;
    if (!SEXES.has(key) && !SEX_LETTER.test(text)) continue;
    for (const beside of [index - 1, index + 1])
      if (isNumber(beside) && isAdult(beside))
        isDropped.fill(true, Math.min(beside, index), Math.max(beside, index) + 1);
  }
}

/** Drops days whose month is a word or a Roman number: 12 Nov 1950, 12.XI.50. */
export function dropWrittenDates(words: readonly TextWord[], isDropped: boolean[]): void {
  const isDay = (index: number): boolean => DAY.test(words[index]?.key ?? "");
  for (const [index, { key, separator }] of words.entries()) {
    const following = words[index + 1]?.separator ?? "";
    const isRoman = ROMAN_MONTH.test(key) && isDay(index - 1) && isDay(index + 1);
    const isMonth = MONTHS.has(key) || (isRoman && DATE_SEPARATOR.test(separator) && DATE_SEPARATOR.test(following));
    if (!isMonth || !(isDay(index - 1) || isDay(index + 1))) continue;
    isDropped[index] = true;
    for (const beside of [index - 1, index + 1, index + 2])
      if (isDay(beside) && (beside <= index + 1 || isDay(index + 1))) isDropped[beside] = true;
  }
}

/** As names are that stand together: both in capitals, or with one in front. */
function isWrittenLike(before: TextWord | undefined, word: TextWord): boolean {
  if (word.separator !== " ") return false;
  return isTitleCase(word) || (isCapitals(before) && isCapitals(word));
}

function isCapitals(word: TextWord | undefined): boolean {
  return word !== undefined && /^\p{Lu}{2,}$/u.test(word.text);
}

function isTitleCase(word: TextWord | undefined): boolean {
  return word !== undefined && /^\p{Lu}\p{Ll}/u.test(word.text);
}
