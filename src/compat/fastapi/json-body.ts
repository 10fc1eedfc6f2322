import { AnswerError } from "./answer-error.ts";
import { readPythonJson } from "./python-json.ts";
import { ValidationFailure } from "./validation.ts";

/** Undefined when there is none, or null, which FastAPI takes for none. @throws ValidationFailure, AnswerError 400 */
export function parsedBody(bytes: Buffer | undefined): unknown {
  if (bytes === undefined || bytes.length === 0) return undefined;
  const { value, problem } = readPythonJson(textOf(bytes));
  if (problem === undefined) return value ?? undefined;
  const { at, error } = problem;
  throw new ValidationFailure([
    { type: "json_invalid", loc: ["body", at], msg: "JSON decode error", input: {}, ctx: { error } },
  ]);
}

/** Bytes that are no UTF-8 are no text: what they stand for would be kept as something else. */
function textOf(bytes: Buffer): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch (thrown) {
    throw new AnswerError(400, "There was an error parsing the body", { code: "API_REQUEST_MALFORMED", cause: thrown });
  }
}
