/** What Python's json module says of a text that is no JSON. */
export interface JsonProblem {
  /** In characters, from 0. */
  readonly at: number;
  readonly error: string;
}

/** A limit of ours, to keep the stack: Python fails at the depth of its own. */
const MAXIMUM_DEPTH = 256;
const BLANKS = /[ \t\n\r]*/y;
const NUMBER = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y;
const ESCAPES: ReadonlySet<string> = new Set('"\\/bfnrt');
const FOUR_DIGITS = /^[0-9A-Fa-f]{4}$/;
/** With those that Python reads although JSON does not have them. */
const WORDS: readonly (readonly [word: string, value: unknown])[] = [
  ["null", null],
  ["true", true],
  ["false", false],
  ["NaN", Number.NaN],
  ["Infinity", Number.POSITIVE_INFINITY],
  ["-Infinity", Number.NEGATIVE_INFINITY],
];

class ProblemFound extends Error {
  readonly problem: JsonProblem;

  constructor(at: number, error: string) {
    super("not JSON");
    this.problem = { at, error };
  }
}

/** Reads as Python's json.loads: NaN and the infinities are numbers, the last of equal names counts. The first problem ends it. */
export function readPythonJson(text: string): { readonly value: unknown; readonly problem: JsonProblem | undefined } {
  const reader = { text, at: 0 };
  try {
    skipBlanks(reader);
    const value = readValue(reader, 0);
    skipBlanks(reader);
    if (reader.at < text.length) throw new ProblemFound(reader.at, "Extra data");
    return { value, problem: undefined };
  } catch (thrown) {
    if (!(thrown instanceof ProblemFound)) throw thrown;
    const { at, error } = thrown.problem;
    return { value: undefined, problem: { at: [...text.slice(0, at)].length, error } };
  }
}

interface Reader {
  readonly text: string;
  at: number;
}

function skipBlanks(reader: Reader): void {
  take(reader, BLANKS);
}

function take(reader: Reader, expression: RegExp): string {
  expression.lastIndex = reader.at;
  const [found = ""] = expression.exec(reader.text) ?? [];
  reader.at += found.length;
  return found;
}

function readValue(reader: Reader, depth: number): unknown {
  const { text, at } = reader;
  if (depth > MAXIMUM_DEPTH) throw new ProblemFound(at, "Nested too deeply");
  const first = text[at];
  if (first === '"') return readString(reader);
  if (first === "{") return readObject(reader, depth);
  if (first === "[") return readArray(reader, depth);
  const word = WORDS.find(([each]) => text.startsWith(each, at));
  if (word !== undefined) {
    reader.at += word[0].length;
    return word[1];
  }
  const number = take(reader, NUMBER);
  if (number === "") throw new ProblemFound(at, "Expecting value");
  return Number(number);
}

function readString(reader: Reader): string {
  const { text, at: start } = reader;
  for (let at = start + 1; at < text.length; at += 1) {
    const character = text[at] ?? "";
    if (character === '"') {
      reader.at = at + 1;
      return parsedString(text.slice(start, reader.at));
    }
    if (character < " ") throw new ProblemFound(at, "Invalid control character at");
    if (character === "\\") at += escapeLength(text, at, start);
  }
  throw new ProblemFound(start, "Unterminated string starting at");
}

/** How many characters behind a backslash belong to its escape. @throws ProblemFound */
function escapeLength(text: string, at: number, start: number): number {
  const next = text[at + 1];
  if (next === undefined) throw new ProblemFound(start, "Unterminated string starting at");
  if (next !== "u") {
    if (!ESCAPES.has(next)) throw new ProblemFound(at, "Invalid \\escape");
    return 1;
  }
  if (!FOUR_DIGITS.test(text.slice(at + 2, at + 6))) throw new ProblemFound(at + 1, "Invalid \\uXXXX escape");
  return 5;
}

function parsedString(quoted: string): string {
  const value: unknown = JSON.parse(quoted);
  return String(value);
}

function readObject(reader: Reader, depth: number): Readonly<Record<string, unknown>> {
  const members: [string, unknown][] = [];
  const isEnd = enter(reader, "}");
  for (let more = !isEnd; more; more = goesOn(reader, "}", "object")) {
    if (reader.text[reader.at] !== '"')
      throw new ProblemFound(reader.at, "Expecting property name enclosed in double quotes");
    const name = readString(reader);
    skipBlanks(reader);
    if (reader.text[reader.at] !== ":") throw new ProblemFound(reader.at, "Expecting ':' delimiter");
    reader.at += 1;
    skipBlanks(reader);
    members.push([name, readValue(reader, depth + 1)]);
  }
  return Object.fromEntries(members);
}

function readArray(reader: Reader, depth: number): readonly unknown[] {
  const items: unknown[] = [];
  const isEnd = enter(reader, "]");
  for (let more = !isEnd; more; more = goesOn(reader, "]", "array")) items.push(readValue(reader, depth + 1));
  return items;
}

/** Goes into an object or array. @returns whether it is empty */
function enter(reader: Reader, end: string): boolean {
  reader.at += 1;
  skipBlanks(reader);
  if (reader.text[reader.at] !== end) return false;
  reader.at += 1;
  return true;
}

/** After a member: over the comma to the next one, or over the end. */
function goesOn(reader: Reader, end: string, what: "object" | "array"): boolean {
  skipBlanks(reader);
  const { text, at } = reader;
  if (text[at] === end) {
    reader.at += 1;
    return false;
  }
  if (text[at] !== ",") throw new ProblemFound(at, "Expecting ',' delimiter");
  reader.at += 1;
  skipBlanks(reader);
  // As Python says it since 3.13.
  if (text[reader.at] === end) throw new ProblemFound(at, `Illegal trailing comma before end of ${what}`);
  return true;
}

/** A number as Python writes a float. */
export function pythonFloat(value: number): string {
  if (Number.isNaN(value)) return "nan";
  if (!Number.isFinite(value)) return value > 0 ? "inf" : "-inf";
  if (Object.is(value, -0)) return "-0.0";
  const magnitude = Math.abs(value);
  // Python turns to exponents below 1e-4 and from 1e16; JavaScript below 1e-6 and from 1e21.
  if (magnitude !== 0 && (magnitude < 1e-4 || magnitude >= 1e16)) {
    return value.toExponential().replace(/e([+-])(\d)$/, "e$10$2");
  }
  const text = String(value);
  return text.includes(".") ? text : `${text}.0`;
}

/** What lies deeper is written as three dots. */
const MAXIMUM_TEXT_DEPTH = 8;

/** As Python's str() of a value that was read from JSON. */
export function pythonText(value: unknown): string {
  return typeof value === "string" ? value : representation(value, 0);
}

function representation(value: unknown, depth: number): string {
  if (value === undefined || value === null) return "None";
  if (typeof value === "boolean") return value ? "True" : "False";
  if (typeof value === "number") return Number.isInteger(value) ? `${value}` : pythonFloat(value);
  if (typeof value === "string") return `'${value}'`;
  if (depth >= MAXIMUM_TEXT_DEPTH) return "...";
  if (Array.isArray(value)) return `[${value.map((each) => representation(each, depth + 1)).join(", ")}]`;
  const entries = Object.entries(value).map(([name, each]) => `'${name}': ${representation(each, depth + 1)}`);
  return `{${entries.join(", ")}}`;
}
