import type { Vr } from "../vr.ts";

/** Texts as ASCII, bytes as hexadecimal with blanks. */
type Field = string | { readonly hex: string };

export const hex = (digits: string): Field => ({ hex: digits });
export const bytesOf = (...fields: readonly Field[]): Uint8Array =>
  Buffer.concat(
    fields.map((field) =>
      typeof field === "string" ? Buffer.from(field, "latin1") : Buffer.from(field.hex.replaceAll(" ", ""), "hex"),
    ),
  );

// Escape sequences of PS3.3 tables C.12-3 and C.12-4.
export const TO_ASCII = hex("1b 28 42");
const TO_ROMAJI = hex("1b 28 4a");
export const TO_KATAKANA = hex("1b 29 49");
export const TO_KANJI = hex("1b 24 42");
const TO_SUPPLEMENTARY_KANJI = hex("1b 24 28 44");
export const TO_KOREAN = hex("1b 24 29 43");
const TO_CHINESE = hex("1b 24 29 41");
const TO_LATIN_1 = hex("1b 2d 41");
export const TO_CYRILLIC = hex("1b 2d 4c");
const TO_GREEK = hex("1b 2d 46");
export const TO_LATIN_9 = hex("1b 2d 62");

interface TextExample {
  readonly of: string;
  readonly characterSet: string;
  readonly vr?: Vr;
  readonly bytes: Uint8Array;
  readonly text: string;
}

/** Texts as the standard gives them, or as files of the language have them. */
export const TEXT_EXAMPLES: readonly TextExample[] = [
  {
    of: "PS3.5 H.3.1: kanji and hiragana by code extension",
    characterSet: "\\ISO 2022 IR 87",
    bytes: bytesOf(
      "Yamada^Tarou=",
      TO_KANJI, // 山田
      hex("3b33 4544"),
      TO_ASCII,
      "^",
      TO_KANJI, // 太郎
      hex("4240 4f3a"),
      TO_ASCII,
      "=",
      TO_KANJI, // やまだ
      hex("2464 245e 2440"),
      TO_ASCII,
      "^",
      TO_KANJI, // たろう
      hex("243f 246d 2426"),
      TO_ASCII,
    ),
    text: "Yamada^Tarou=山田^太郎=やまだ^たろう",
  },
  {
    of: "PS3.5 H.3.2: katakana of one byte first, kanji by code extension, back to romaji",
    characterSet: "ISO 2022 IR 13\\ISO 2022 IR 87",
    bytes: bytesOf(
      hex("d4 cf c0 de"), // ﾔﾏﾀﾞ
      "^",
      hex("c0 db b3"), // ﾀﾛｳ
      "=",
      TO_KANJI,
      hex("3b33 4544"),
      TO_ROMAJI,
      "^",
      TO_KANJI,
      hex("4240 4f3a"),
      TO_ROMAJI,
      "=",
      TO_KANJI,
      hex("2464 245e 2440"),
      TO_ROMAJI,
      "^",
      TO_KANJI,
      hex("243f 246d 2426"),
      TO_ROMAJI,
    ),
    text: "ﾔﾏﾀﾞ^ﾀﾛｳ=山田^太郎=やまだ^たろう",
  },
  {
    of: "PS3.5 I.2: Korean, designated anew behind each delimiter",
    characterSet: "\\ISO 2022 IR 149",
    bytes: bytesOf(
      "Hong^Gildong=",
      TO_KOREAN, // 洪
      hex("fbf3"),
      "^",
      TO_KOREAN, // 吉洞
      hex("d1ce d4d7"),
      "=",
      TO_KOREAN, // 홍
      hex("c8ab"),
      "^",
      TO_KOREAN, // 길동
      hex("b1e6 b5bf"),
    ),
    text: "Hong^Gildong=洪^吉洞=홍^길동",
  },
  {
    of: "PS3.5 I.3: Korean in a text of several lines, designated anew on each",
    characterSet: "\\ISO 2022 IR 149",
    vr: "LT",
    bytes: bytesOf(
      TO_KOREAN,
      "The first line includes ",
      hex("b1e6 b5bf"),
      ".\r\n",
      TO_KOREAN,
      "The second line includes ",
      hex("b1e6 b5bf"),
      ", too.\r\n",
      "The third line.",
    ),
    text: "The first line includes 길동.\r\nThe second line includes 길동, too.\r\nThe third line.",
  },
  {
    of: "PS3.5 J.1: Chinese in UTF-8",
    characterSet: "ISO_IR 192",
    bytes: bytesOf("Wang^XiaoDong=", hex("e78e8b"), "^", hex("e5b08f e69db1"), "="),
    text: "Wang^XiaoDong=王^小東=",
  },
  {
    of: "PS3.5 J.3: Chinese in GB18030",
    characterSet: "GB18030",
    bytes: bytesOf("Wang^XiaoDong=", hex("cdf5"), "^", hex("d0a1 b6ab"), "="),
    text: "Wang^XiaoDong=王^小东=",
  },
  {
    of: "PS3.5 J.4: Chinese in GBK",
    characterSet: "GBK",
    bytes: bytesOf("Wang^XiaoDong=", hex("cdf5"), "^", hex("d0a1 b6ab"), "="),
    text: "Wang^XiaoDong=王^小东=",
  },
  {
    of: "PS3.5 K.2: Chinese by code extension",
    characterSet: "\\ISO 2022 IR 58",
    bytes: bytesOf("Zhang^XiaoDong=", TO_CHINESE, hex("d5c5"), "^", TO_CHINESE, hex("d0a1 b6ab"), "="),
    text: "Zhang^XiaoDong=张^小东=",
  },
  {
    of: "French, Latin-1",
    characterSet: "ISO_IR 100",
    bytes: bytesOf("Buc^J", hex("e9"), "r", hex("f4"), "me"),
    text: "Buc^Jérôme",
  },
  {
    of: "German, Latin-1",
    characterSet: "ISO_IR 100",
    bytes: bytesOf(hex("c4"), "neas^R", hex("fc"), "diger"),
    text: "Äneas^Rüdiger",
  },
  {
    of: "Polish, Latin-2",
    characterSet: "ISO_IR 101",
    bytes: bytesOf("Wa", hex("b3 ea"), "sa"),
    text: "Wałęsa",
  },
  { of: "Maltese, Latin-3", characterSet: "ISO_IR 109", bytes: bytesOf("G", hex("b1"), "ira"), text: "Għira" },
  {
    of: "Latvian, Latin-4",
    characterSet: "ISO_IR 110",
    bytes: bytesOf("B", hex("ba"), "rzi", hex("f1 b9")),
    text: "Bērziņš",
  },
  {
    of: "Turkish, Latin-5",
    characterSet: "ISO_IR 148",
    bytes: bytesOf(hex("c7"), "avu", hex("fe"), "o", hex("f0"), "lu"),
    text: "Çavuşoğlu",
  },
  {
    of: "French, Latin-9",
    characterSet: "ISO_IR 203",
    bytes: bytesOf("L", hex("bd"), "uillet^", hex("be"), "s ", hex("a4")),
    text: "Lœuillet^Ÿs €",
  },
  {
    of: "Russian",
    characterSet: "ISO_IR 144",
    bytes: bytesOf(hex("bb ee da"), "ce", hex("dc d1"), "yp", hex("d3")),
    text: "Люкceмбypг",
  },
  {
    of: "Arabic",
    characterSet: "ISO_IR 127",
    bytes: bytesOf(hex("e2 c8 c7 e6 ea"), "^", hex("e4 e6 d2 c7 d1")),
    text: "قباني^لنزار",
  },
  {
    of: "Greek",
    characterSet: "ISO_IR 126",
    bytes: bytesOf(hex("c4 e9 ef ed f5 f3 e9 ef f2")),
    text: "Διονυσιος",
  },
  {
    of: "Hebrew",
    characterSet: "ISO_IR 138",
    bytes: bytesOf(hex("f9 f8 e5 ef"), "^", hex("e3 e1 e5 f8 e4")),
    text: "שרון^דבורה",
  },
  { of: "Thai", characterSet: "ISO_IR 166", bytes: bytesOf(hex("ca c1 aa d2 c2")), text: "สมชาย" },
  {
    of: "katakana of one byte",
    characterSet: "ISO_IR 13",
    bytes: bytesOf(hex("d4 cf c0 de"), "^Tarou"),
    text: "ﾔﾏﾀﾞ^Tarou",
  },
  {
    of: "romaji: a yen sign and an overline where ASCII has backslash and tilde",
    characterSet: "ISO_IR 13",
    vr: "LT",
    bytes: bytesOf("a~b\\c"),
    text: "a‾b¥c",
  },
  {
    of: "romaji of several values: the backslash between them stays",
    characterSet: "ISO_IR 13",
    vr: "LO",
    bytes: bytesOf("a~b\\c"),
    text: "a‾b\\c",
  },
  {
    of: "supplementary kanji",
    characterSet: "\\ISO 2022 IR 159",
    bytes: bytesOf(TO_SUPPLEMENTARY_KANJI, hex("3021 3022"), TO_ASCII),
    text: "丂丄",
  },
  {
    of: "katakana by code extension",
    characterSet: "\\ISO 2022 IR 13",
    bytes: bytesOf(TO_KATAKANA, hex("d4 cf c0 de"), "=A"),
    text: "ﾔﾏﾀﾞ=A",
  },
  {
    of: "three alphabets of one byte, the first one in force again behind a delimiter",
    characterSet: "ISO 2022 IR 100\\ISO 2022 IR 144\\ISO 2022 IR 126",
    bytes: bytesOf(hex("c4"), "neas^", TO_CYRILLIC, hex("bb ee da"), "=", hex("c4"), "=", TO_GREEK, hex("c4 e9 ef")),
    text: "Äneas^Люк=Ä=Διο",
  },
  {
    of: "Latin-9 among others",
    characterSet: "\\ISO 2022 IR 203\\ISO 2022 IR 144",
    bytes: bytesOf(TO_LATIN_9, hex("bd a4"), TO_CYRILLIC, hex("bb ee da"), "^", TO_LATIN_9, hex("be")),
    text: "œ€Люк^Ÿ",
  },
  {
    of: "Latin-9 first, Latin-1 by code extension up to the delimiter",
    characterSet: "ISO 2022 IR 203\\ISO 2022 IR 100",
    vr: "LO",
    bytes: bytesOf(hex("a4"), TO_LATIN_1, hex("a4"), "\\", hex("a4")),
    text: "€¤\\€",
  },
];
