import { z } from "zod";
import { pythonFloat } from "./python-json.ts";

/** One entry of a 422, in the words of FastAPI and pydantic. */
export interface ValidationProblem {
  readonly type: string;
  readonly loc: readonly (string | number)[];
  readonly msg: string;
  readonly input: unknown;
  readonly ctx?: Readonly<Record<string, unknown>>;
}

/** A request that is not what its address takes. */
export class ValidationFailure extends Error {
  readonly problems: readonly ValidationProblem[];

  constructor(problems: readonly ValidationProblem[]) {
    super("the request is not valid");
    this.problems = problems;
  }
}

/** pydantic takes these for truth values too. */
const TRUTH: ReadonlyMap<unknown, boolean> = new Map<unknown, boolean>([
  ...["true", "1", "yes", "on", "t", "y"].map((text) => [text, true] as const),
  ...["false", "0", "no", "off", "f", "n"].map((text) => [text, false] as const),
  [1, true],
  [0, false],
]);

export const laxBoolean = z.preprocess(
  (value) => TRUTH.get(typeof value === "string" ? value.toLowerCase() : value) ?? value,
  z.boolean(),
);

/** Also as a text, and with zeros behind a point. */
const INTEGER = /^\s*[+-]?\d{1,15}(?:\.0+)?\s*$/;

export const laxInteger = z.preprocess(
  (value) => (typeof value === "boolean" || (typeof value === "string" && INTEGER.test(value)) ? Number(value) : value),
  z.int(),
);

/** As Python's float() of a text. */
const FLOAT = /^[+-]?(?:\d+(?:_\d+)*\.?(?:\d+(?:_\d+)*)?|\.\d+(?:_\d+)*)(?:[eE][+-]?\d+(?:_\d+)*)?$/;

/** A number, or what pydantic takes for one. Not a number and the infinities are none here. */
export const laxNumber = z.unknown().transform((value, context): number => {
  if (value === undefined) {
    context.issues.push({ code: "invalid_type", expected: "number", input: value });
    return z.NEVER;
  }
  const number = numberOf(value);
  if (number !== undefined && (Number.isFinite(number) || number === Number.NEGATIVE_INFINITY)) return number;
  const [type, msg] =
    typeof value === "string" && number === undefined
      ? FLOAT_PROBLEMS.text
      : FLOAT_PROBLEMS[number === undefined ? "kind" : "infinite"];
  context.issues.push({ code: "custom", input: value, params: { type, msg } });
  return z.NEVER;
});

const FLOAT_PROBLEMS = {
  text: ["float_parsing", "Input should be a valid number, unable to parse string as a number"],
  kind: ["float_type", "Input should be a valid number"],
  infinite: ["finite_number", "Input should be a finite number"],
} as const;

function numberOf(value: unknown): number | undefined {
  if (typeof value === "number" || typeof value === "boolean") return Number(value);
  if (typeof value !== "string") return undefined;
  const text = value.trim();
  if (FLOAT.test(text)) return Number(text.replaceAll("_", ""));
  const word = /^([+-]?)(?:(nan)|inf(?:inity)?)$/i.exec(text);
  if (word === null) return undefined;
  if (word[2] !== undefined) return Number.NaN;
  return word[1] === "-" ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY;
}

/** @throws ValidationFailure with every problem */
export function validated<T>(schema: z.ZodType<T>, value: unknown, where: "body" | "query" | "path"): T {
  const result = schema.safeParse(where === "query" ? lastOfEach(value) : value, { reportInput: true });
  if (result.success) return result.data;
  throw new ValidationFailure(result.error.issues.map((issue) => problemOf(issue, value, [where])));
}

/** Of a parameter that is given more than once, the last counts. */
function lastOfEach(query: unknown): unknown {
  if (typeof query !== "object" || query === null) return query;
  return Object.fromEntries(
    Object.entries(query).map(([name, given]: [string, unknown]) => [
      name,
      Array.isArray(given) ? given.at(-1) : given,
    ]),
  );
}

/** Every problem of a part of a request. @param loc where the part is */
export function problemsIn(
  schema: z.ZodType,
  value: unknown,
  loc: readonly (string | number)[],
): readonly ValidationProblem[] {
  const { error } = schema.safeParse(value, { reportInput: true });
  return error?.issues.map((issue) => problemOf(issue, value, loc)) ?? [];
}

type Words = readonly [type: string, msg: string];

const EXPECTED: Readonly<Record<string, Words>> = {
  string: ["string_type", "Input should be a valid string"],
  boolean: ["bool_type", "Input should be a valid boolean"],
  int: ["int_type", "Input should be a valid integer"],
  number: ["int_type", "Input should be a valid integer"],
  array: ["list_type", "Input should be a valid list"],
  record: ["dict_type", "Input should be a valid dictionary"],
  object: ["model_attributes_type", "Input should be a valid dictionary or object to extract fields from"],
};

/** Where it matters what was given in the place of what was expected. */
const PARSED: Readonly<Record<string, Words>> = {
  "boolean of string": ["bool_parsing", "Input should be a valid boolean, unable to interpret input"],
  "boolean of number": ["bool_parsing", "Input should be a valid boolean, unable to interpret input"],
  "int of string": ["int_parsing", "Input should be a valid integer, unable to parse string as an integer"],
  "number of string": ["int_parsing", "Input should be a valid integer, unable to parse string as an integer"],
  "int of number": ["int_from_float", "Input should be a valid integer, got a number with a fractional part"],
};

function problemOf(issue: z.core.$ZodIssue, value: unknown, from: readonly (string | number)[]): ValidationProblem {
  const path = issue.path.map((part) => (typeof part === "number" ? part : String(part)));
  const loc = [...from, ...path];
  const input = issue.input;
  if (input === undefined && issue.code !== "custom") {
    const parent = from[0] === "body" && path.length > 0 ? at(value, path.slice(0, -1)) : null;
    return { type: "missing", loc, msg: "Field required", input: parent };
  }
  const { type, msg, ctx } = wordsOf(issue);
  return { type, loc, msg, input: writable(input), ...(ctx && { ctx }) };
}

/** JSON has no word for some numbers. */
function writable(input: unknown): unknown {
  return typeof input === "number" && !Number.isFinite(input) ? pythonFloat(input) : input;
}

function wordsOf(issue: z.core.$ZodIssue): Pick<ValidationProblem, "type" | "msg" | "ctx"> {
  if (issue.code === "custom") {
    const { type, msg } = issue.params ?? {};
    return {
      type: typeof type === "string" ? type : "value_error",
      msg: typeof msg === "string" ? msg : issue.message,
    };
  }
  if (issue.code === "invalid_value") {
    const quoted = issue.values.map((each) => `'${String(each)}'`);
    const expected = [quoted.slice(0, -1).join(", "), quoted.at(-1)].filter(Boolean).join(" or ");
    return { type: "literal_error", msg: `Input should be ${expected}`, ctx: { expected } };
  }
  if (issue.code === "too_small" && issue.origin === "array") {
    const ctx = { field_type: "List", min_length: Number(issue.minimum), actual_length: 0 };
    return { type: "too_short", msg: `List should have at least ${issue.minimum} item after validation, not 0`, ctx };
  }
  if (issue.code === "invalid_format") return { type: "uuid_parsing", msg: "Input should be a valid UUID" };
  const expected = issue.code === "invalid_type" ? issue.expected : "";
  const words = PARSED[`${expected} of ${typeof issue.input}`] ?? EXPECTED[expected];
  const [type, msg] = words ?? ["value_error", "Value error"];
  return { type, msg };
}

function at(value: unknown, path: readonly (string | number)[]): unknown {
  let here = value;
  for (const part of path) {
    if (typeof here !== "object" || here === null) return null;
    here = Reflect.get(here, part);
  }
  return here ?? null;
}
