import { readPythonJson } from "./python-json.ts";
import { ValidationFailure } from "./validation.ts";

/** @throws ValidationFailure */
export function parsedBody(bytes: Buffer | undefined): unknown {
  if (bytes === undefined || bytes.length === 0) return undefined;
  const text = bytes.toString("utf8").replace(/^\ufeff/, "");
  const { value, problem } = readPythonJson(text);
  if (problem === undefined) return value;
  const { at, error } = problem;
  throw new ValidationFailure([
    { type: "json_invalid", loc: ["body", at], msg: "JSON decode error", input: {}, ctx: { error } },
  ]);
}
