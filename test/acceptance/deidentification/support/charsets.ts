import { type Random, seededRandom } from "../../../../src/units/random.ts";

/** A name that is drawn at random, as stored and as read. */
export interface Foreign {
  /** (0008,0005). */
  readonly characterSet: string;
  /** With the escape sequences it needs. */
  readonly stored: Buffer;
  readonly text: string;
}

type Draw = (random: Random) => Foreign;

const CHARACTERS = 7;
const ESCAPE_SEQUENCE = new RegExp(`${String.fromCharCode(0x1b)}[()$-]+[A-Z]`, "g");
const between = (random: Random, low: number, high: number): number =>
  low + Math.floor(random.next() * (high - low + 1));

/** Pairs of bytes from the rows that are full. */
function pairs(random: Random, rows: readonly [number, number], cells: readonly [number, number]): Buffer {
  const bytes = Array.from({ length: CHARACTERS }, () => [between(random, ...rows), between(random, ...cells)]);
  return Buffer.from(bytes.flat());
}

function oneByte(characterSet: string, label: string, letters: readonly [number, number]): Draw {
  return (random) => {
    const stored = Buffer.from(Array.from({ length: 2 * CHARACTERS }, () => between(random, ...letters)));
    return { characterSet, stored, text: new TextDecoder(label).decode(stored) };
  };
}

const high = (bytes: Buffer): Buffer => Buffer.from(bytes.map((byte) => byte | 0x80));
const escaped = (sequence: string): Buffer => Buffer.from(`\x1b${sequence}`, "latin1");

/** PS3.3 tables C.12-2 to C.12-5, PS3.5 6.1.2.5; the rows of letters of JIS X 0208, KS X 1001 and GB 2312 alone. */
const DRAWS: Readonly<Record<string, Draw>> = {
  "Latin-1": oneByte("ISO_IR 100", "iso-8859-1", [0xe0, 0xf6]),
  Cyrillic: oneByte("ISO_IR 144", "iso-8859-5", [0xb0, 0xef]),
  Greek: oneByte("ISO_IR 126", "iso-8859-7", [0xe1, 0xee]),
  "UTF-8": (random) => {
    const text = String.fromCodePoint(...Array.from({ length: CHARACTERS }, () => between(random, 0x0430, 0x044f)));
    return { characterSet: "ISO_IR 192", stored: Buffer.from(text, "utf8"), text };
  },
  GB18030: (random) => {
    const stored = Buffer.concat([
      pairs(random, [0xb0, 0xf6], [0xa1, 0xf9]),
      Buffer.of(0x82, 0x30, 0x81, 0x30 + between(random, 0, 9)),
    ]);
    return { characterSet: "GB18030", stored, text: new TextDecoder("gb18030").decode(stored) };
  },
  "ISO 2022 IR 87": (random) => {
    const kanji = pairs(random, [0x30, 0x4e], [0x21, 0x7e]);
    const stored = Buffer.concat([escaped("$B"), kanji, escaped("(B")]);
    return { characterSet: "\\ISO 2022 IR 87", stored, text: new TextDecoder("euc-jp").decode(high(kanji)) };
  },
  "ISO 2022 IR 149": (random) => {
    const hangul = high(pairs(random, [0x30, 0x48], [0x21, 0x7e]));
    return {
      characterSet: "\\ISO 2022 IR 149",
      stored: Buffer.concat([escaped("$)C"), hangul]),
      text: new TextDecoder("euc-kr").decode(hangul),
    };
  },
  "ISO 2022 IR 144": (random) => {
    const { stored, text } = oneByte("", "iso-8859-5", [0xb0, 0xef])(random);
    return { characterSet: "ISO 2022 IR 6\\ISO 2022 IR 144", stored: Buffer.concat([escaped("-L"), stored]), text };
  },
};

export const FOREIGN_SETS: readonly string[] = Object.keys(DRAWS);

export function foreignName(set: string, seed: number): Foreign {
  const draw = DRAWS[set];
  if (draw === undefined) throw new Error(`no character set ${set}`);
  return draw(seededRandom(seed));
}

/** The name as bytes: as stored, without escape sequences, with the high bits the other way, in every Unicode form. */
export function spellingsOf({ stored, text }: Foreign): Buffer[] {
  const bare = Buffer.from(stored.toString("latin1").replace(ESCAPE_SEQUENCE, ""), "latin1");
  const folded = [text, text.toUpperCase(), text.normalize("NFD"), text.normalize("NFKD")];
  const wide = folded.map((each) => Buffer.from(each, "utf16le"));
  return [
    stored,
    bare,
    high(bare),
    ...folded.map((each) => Buffer.from(each, "utf8")),
    ...wide,
    ...wide.map((each) => Buffer.from(each).swap16()),
  ];
}
