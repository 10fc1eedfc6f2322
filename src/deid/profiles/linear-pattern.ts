/** A part of a regular expression that can be matched in linear time. */
export type PatternNode =
  | { readonly kind: "character"; readonly accepts: (code: number) => boolean }
  | { readonly kind: "sequence"; readonly parts: readonly PatternNode[] }
  | { readonly kind: "choice"; readonly options: readonly PatternNode[] }
  /** `max` undefined: without end. */
  | { readonly kind: "repeat"; readonly part: PatternNode; readonly min: number; readonly max: number | undefined }
  | { readonly kind: "edge"; readonly at: "start" | "end" };

/** Why a regular expression is refused. */
export class PatternError extends Error {
  override readonly name = "PatternError";
}

const COUNT_LIMIT = 1000;
const DEPTH_LIMIT = 32;
const COUNT = /^\{([0-9]{1,4})(?:(,)([0-9]{0,4}))?\}/;
const CONTROL_ESCAPES: Readonly<Record<string, number>> = { t: 9, n: 10, v: 11, f: 12, r: 13 };
const CLASS_ESCAPES: Readonly<Record<string, (code: number) => boolean>> = {
  d: isDigit,
  D: (code) => !isDigit(code),
  w: isWord,
  W: (code) => !isWord(code),
  s: isBlank,
  S: (code) => !isBlank(code),
};

interface Cursor {
  readonly text: string;
  readonly ignoreCase: boolean;
  at: number;
  depth: number;
}

/**
 * The regular languages' part of ECMAScript's syntax, as RE2 has it: no back references, no look-around, no repetition within an
 * unlimited repetition.
 * @throws PatternError
 */
export function parsePattern(text: string, ignoreCase: boolean): PatternNode {
  const cursor: Cursor = { text, ignoreCase, at: 0, depth: 0 };
  const node = parseChoice(cursor);
  if (cursor.at < text.length) throw new PatternError("a closing parenthesis has no opening one");
  return node;
}

function parseChoice(cursor: Cursor): PatternNode {
  const options = [parseSequence(cursor)];
  while (cursor.text[cursor.at] === "|") {
    cursor.at += 1;
    options.push(parseSequence(cursor));
  }
  return options.length === 1 && options[0] !== undefined ? options[0] : { kind: "choice", options };
}

function parseSequence(cursor: Cursor): PatternNode {
  const parts: PatternNode[] = [];
  while (cursor.at < cursor.text.length && cursor.text[cursor.at] !== "|" && cursor.text[cursor.at] !== ")") {
    parts.push(parseRepeat(cursor, parseAtom(cursor)));
  }
  return { kind: "sequence", parts };
}

function parseRepeat(cursor: Cursor, part: PatternNode): PatternNode {
  const bounds = boundsAt(cursor);
  if (bounds === undefined) return part;
  const [min, max] = bounds;
  if (part.kind === "edge") throw new PatternError("nothing to repeat");
  if (max !== undefined && (max < min || max > COUNT_LIMIT)) throw new PatternError(`a count above ${COUNT_LIMIT}`);
  if (max === undefined && repeats(part)) throw new PatternError("a repetition within an unlimited repetition");
  if ((max ?? 2) > 1 && isUnlimited(part)) throw new PatternError("an unlimited repetition within a repetition");
  // Fewest first or most first matters only to what is captured.
  if (cursor.text[cursor.at] === "?") cursor.at += 1;
  if (boundsAt({ ...cursor }) !== undefined) throw new PatternError("a repetition of a repetition");
  return { kind: "repeat", part, min, max };
}

function boundsAt(cursor: Cursor): readonly [number, number | undefined] | undefined {
  const simple = { "*": [0, undefined], "+": [1, undefined], "?": [0, 1] } as const;
  const character = cursor.text[cursor.at];
  if (character === "*" || character === "+" || character === "?") {
    cursor.at += 1;
    return simple[character];
  }
  const count = COUNT.exec(cursor.text.slice(cursor.at, cursor.at + 16));
  if (count === null) return undefined;
  cursor.at += count[0].length;
  const min = Number(count[1]);
  if (count[2] === undefined) return [min, min];
  return [min, count[3] === "" ? undefined : Number(count[3])];
}

function repeats(node: PatternNode): boolean {
  if (node.kind === "repeat") return (node.max ?? 2) > 1 || repeats(node.part);
  return childrenOf(node).some(repeats);
}

function isUnlimited(node: PatternNode): boolean {
  if (node.kind === "repeat") return node.max === undefined || isUnlimited(node.part);
  return childrenOf(node).some(isUnlimited);
}

function childrenOf(node: PatternNode): readonly PatternNode[] {
  if (node.kind === "sequence") return node.parts;
  return node.kind === "choice" ? node.options : [];
}

function parseAtom(cursor: Cursor): PatternNode {
  const character = cursor.text.charAt(cursor.at);
  cursor.at += 1;
  switch (character) {
    case "^":
      return { kind: "edge", at: "start" };
    case "$":
      return { kind: "edge", at: "end" };
    case ".":
      return { kind: "character", accepts: (code) => code !== 10 && code !== 13 };
    case "(":
      return parseGroup(cursor);
    case "[":
      return { kind: "character", accepts: parseClass(cursor) };
    case "\\":
      return { kind: "character", accepts: escapeAt(cursor) };
    case "*":
    case "+":
    case "?":
      throw new PatternError("nothing to repeat");
    case "{":
      throw new PatternError("a brace that is no count: write \\{");
    default:
      return { kind: "character", accepts: literal(character.charCodeAt(0), cursor.ignoreCase) };
  }
}

function parseGroup(cursor: Cursor): PatternNode {
  cursor.depth += 1;
  if (cursor.depth > DEPTH_LIMIT) throw new PatternError("groups too deep within one another");
  if (cursor.text[cursor.at] === "?") {
    if (cursor.text[cursor.at + 1] !== ":") throw new PatternError("look-around or a named group");
    cursor.at += 2;
  }
  const node = parseChoice(cursor);
  if (cursor.text[cursor.at] !== ")") throw new PatternError("an opening parenthesis has no closing one");
  cursor.at += 1;
  cursor.depth -= 1;
  return node;
}

function parseClass(cursor: Cursor): (code: number) => boolean {
  const negated = cursor.text[cursor.at] === "^";
  if (negated) cursor.at += 1;
  const members: ((code: number) => boolean)[] = [];
  while (cursor.text[cursor.at] !== "]") {
    if (cursor.at >= cursor.text.length) throw new PatternError("an opening bracket has no closing one");
    members.push(classMember(cursor));
  }
  cursor.at += 1;
  return (code) => members.some((accepts) => accepts(code)) !== negated;
}

function classMember(cursor: Cursor): (code: number) => boolean {
  const from = classCharacter(cursor);
  const next = cursor.text[cursor.at + 1];
  if (cursor.text[cursor.at] !== "-" || next === "]" || next === undefined) {
    return typeof from === "number" ? literal(from, cursor.ignoreCase) : from;
  }
  cursor.at += 1;
  const to = classCharacter(cursor);
  if (typeof from !== "number" || typeof to !== "number" || to < from) throw new PatternError("a range that is none");
  return eitherCase((code) => code >= from && code <= to, cursor.ignoreCase);
}

function classCharacter(cursor: Cursor): number | ((code: number) => boolean) {
  const character = cursor.text.charAt(cursor.at);
  cursor.at += 1;
  return character === "\\" ? escapedAt(cursor) : character.charCodeAt(0);
}

function escapeAt(cursor: Cursor): (code: number) => boolean {
  const escaped = escapedAt(cursor);
  return typeof escaped === "number" ? literal(escaped, cursor.ignoreCase) : escaped;
}

function escapedAt(cursor: Cursor): number | ((code: number) => boolean) {
  const character = cursor.text.charAt(cursor.at);
  cursor.at += 1;
  const ofClass = CLASS_ESCAPES[character];
  if (ofClass !== undefined) return ofClass;
  const control = CONTROL_ESCAPES[character];
  if (control !== undefined) return control;
  // Digits and letters mean something else in one dialect or another: back references, word edges, properties.
  if (character === "" || /[0-9A-Za-z]/.test(character)) throw new PatternError(`the escape \\${character}`);
  return character.charCodeAt(0);
}

function literal(code: number, ignoreCase: boolean): (code: number) => boolean {
  return eitherCase((other) => other === code, ignoreCase);
}

/** Letter case of ASCII, which is what the VRs with a closed repertoire have. */
function eitherCase(accepts: (code: number) => boolean, ignoreCase: boolean): (code: number) => boolean {
  if (!ignoreCase) return accepts;
  return (code) => accepts(code) || (isLetter(code) && accepts(code ^ 0x20));
}

function isLetter(code: number): boolean {
  return (code >= 0x41 && code <= 0x5a) || (code >= 0x61 && code <= 0x7a);
}

function isDigit(code: number): boolean {
  return code >= 0x30 && code <= 0x39;
}

function isWord(code: number): boolean {
  return isLetter(code) || isDigit(code) || code === 0x5f;
}

function isBlank(code: number): boolean {
  return code === 0x20 || (code >= 9 && code <= 13) || code === 0xa0;
}
