const NUMBER = /^ *[+-]?([0-9]*)(?:\.([0-9]*))?(?:[eE]([+-]?0*[0-9]{1,2}))? *$/;
/** A number this long that is an identifier is one. */
export const SHORTEST_DIGITS = 7;
const DIGITS = /[0-9]+/g;

/** How an integer of seven digits and more is written first of all: 7.234561E6 and 007234561.0 are 7234561. Undefined: it is none. */
export function plainInteger(text: string): string | undefined {
  const [, whole = "", decimals = "", exponent = "0"] = NUMBER.exec(text) ?? [];
  const point = whole.length + Number(exponent);
  const digits = (whole + decimals).padEnd(point, "0");
  if (point < SHORTEST_DIGITS || /[1-9]/.test(digits.slice(point))) return undefined;
  return longEnough(digits.slice(0, point));
}

/** The integers that a folded identifier holds, with letters around them or not. */
export function integersIn(folded: string): readonly string[] {
  if (folded.length < SHORTEST_DIGITS) return [];
  return (folded.match(DIGITS) ?? []).flatMap((digits) => longEnough(digits) ?? []);
}

function longEnough(digits: string): string | undefined {
  const plain = digits.replace(/^0+/, "");
  return plain.length < SHORTEST_DIGITS ? undefined : plain;
}

interface BinaryNumber {
  readonly sizeBytes: number;
  readonly at: (bytes: Buffer, offset: number) => number | bigint;
}

/** Numbers of these are wide enough for an identifier. PS3.5 6.2. */
export const WIDE_NUMBERS: ReadonlyMap<string, BinaryNumber> = new Map([
  ["UL", { sizeBytes: 4, at: (bytes, offset) => bytes.readUInt32LE(offset) }],
  ["SL", { sizeBytes: 4, at: (bytes, offset) => bytes.readUInt32LE(offset) }],
  ["UV", { sizeBytes: 8, at: (bytes, offset) => bytes.readBigUInt64LE(offset) }],
  ["SV", { sizeBytes: 8, at: (bytes, offset) => bytes.readBigInt64LE(offset) }],
  ["FL", { sizeBytes: 4, at: (bytes, offset) => bytes.readFloatLE(offset) }],
  ["FD", { sizeBytes: 8, at: (bytes, offset) => bytes.readDoubleLE(offset) }],
] satisfies readonly (readonly [string, BinaryNumber])[]);

const LEAST = 10 ** (SHORTEST_DIGITS - 1);

/** As text, those that may be long enough: tables are full of others. */
export function longNumbersOf(bytes: Buffer, { sizeBytes, at }: BinaryNumber): string[] {
  const long: string[] = [];
  for (let offset = 0; offset + sizeBytes <= bytes.length; offset += sizeBytes) {
    const number = at(bytes, offset);
    if (number >= LEAST || number <= -LEAST) long.push(String(number));
  }
  return long;
}
