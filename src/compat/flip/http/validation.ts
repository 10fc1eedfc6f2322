import { z } from "zod";
import { unsafeSegmentReason } from "../hygiene.ts";

/** One entry of a 422, in the words of FastAPI and pydantic. */
interface ValidationProblem {
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
  ...["true", "True", "TRUE", "1", "yes", "on", "t", "y"].map((text) => [text, true] as const),
  ...["false", "False", "FALSE", "0", "no", "off", "f", "n"].map((text) => [text, false] as const),
  [1, true],
  [0, false],
]);

export const laxBoolean = z.preprocess((value) => TRUTH.get(value) ?? value, z.boolean());

export const laxInteger = z.preprocess(
  (value) => (typeof value === "string" && /^\s*[+-]?\d{1,15}\s*$/.test(value) ? Number(value) : value),
  z.int(),
);

const EMAIL = /^[^\s@<>()[\],;:"\\]{1,64}@(?:[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?\.)+[A-Za-z0-9-]{2,}$/;
export const email = z.string().refine((text) => EMAIL.test(text), {
  params: { type: "value_error", msg: "value is not a valid email address: The email address is not valid." },
});

export const uuid = z.guid().transform((text) => text.toLowerCase());

export const pathSegment = z.string().check((context) => {
  const reason = unsafeSegmentReason(context.value);
  if (reason === undefined) return;
  const params = { type: "value_error", msg: `Value error, ${reason}` };
  context.issues.push({ code: "custom", input: context.value, params });
});

/** @throws ValidationFailure with every problem */
export function validated<T>(schema: z.ZodType<T>, value: unknown, where: "body" | "query" | "path"): T {
  const result = schema.safeParse(value, { reportInput: true });
  if (result.success) return result.data;
  throw new ValidationFailure(result.error.issues.map((issue) => problemOf(issue, value, where)));
}

/** @throws ValidationFailure */
export function parsedBody(bytes: Buffer | undefined): unknown {
  if (bytes === undefined || bytes.length === 0) return undefined;
  try {
    const value: unknown = JSON.parse(bytes.toString("utf8"));
    return value;
  } catch {
    throw new ValidationFailure([
      { type: "json_invalid", loc: ["body", 0], msg: "JSON decode error", input: {}, ctx: { error: "not JSON" } },
    ]);
  }
}

const EXPECTED: Readonly<Record<string, readonly [type: string, msg: string]>> = {
  string: ["string_type", "Input should be a valid string"],
  boolean: ["bool_parsing", "Input should be a valid boolean, unable to interpret input"],
  int: ["int_parsing", "Input should be a valid integer, unable to parse string as an integer"],
  number: ["int_parsing", "Input should be a valid integer, unable to parse string as an integer"],
  array: ["list_type", "Input should be a valid list"],
  object: ["model_attributes_type", "Input should be a valid dictionary or object to extract fields from"],
};

function problemOf(issue: z.core.$ZodIssue, value: unknown, where: string): ValidationProblem {
  const path = issue.path.map((part) => (typeof part === "number" ? part : String(part)));
  const loc = [where, ...path];
  const input = issue.input;
  if (input === undefined && issue.code !== "custom") {
    const parent = where === "body" && path.length > 0 ? at(value, path.slice(0, -1)) : null;
    return { type: "missing", loc, msg: "Field required", input: parent };
  }
  return { ...wordsOf(issue), loc, input };
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
  const [type, msg] = EXPECTED[issue.code === "invalid_type" ? issue.expected : ""] ?? ["value_error", "Value error"];
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
