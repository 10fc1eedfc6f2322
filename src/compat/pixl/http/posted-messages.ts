import { z } from "zod";
import { toGatewayError } from "../../../errors/gateway-error.ts";
import { type ValidationProblem as Problem, problemsIn, ValidationFailure } from "../../fastapi/validation.ts";
import { messageOf } from "../messages/deserialise.ts";
import { checkKeys } from "../messages/keys.ts";
import { withoutReferences } from "../messages/references.ts";
import { serialise } from "../messages/serialise.ts";

/** A list that a person reads the refusal of. */
const MOST_PROBLEMS = 100;
export const MOST_MESSAGES = 10_000;
/** As the queues have it. */
const LONGEST_MESSAGE_BYTES = 1024 * 1024;

type Place = readonly (string | number)[];

/** What a message must have, whatever its form; dates and unknown fields are looked at later. */
export const messageShape = z.looseObject({
  mrn: z.string(),
  accession_number: z.string(),
  study_uid: z.string().nullable(),
  series_uid: z.string().nullish(),
  study_date: z.unknown().optional(),
  procedure_occurrence_id: z.unknown().optional(),
  project_name: z.string(),
  extract_generated_timestamp: z.unknown().optional(),
});

/** The bytes of each message, in PIXL's own form, so that any consumer of its queues reads them. @throws ValidationFailure with what is wrong */
export function postedMessages(body: unknown): readonly Buffer[] {
  const isList = Array.isArray(body);
  const list: readonly unknown[] = isList ? withoutReferences(body) : [body];
  const length = lengthProblem(list.length);
  if (length !== undefined) throw new ValidationFailure([{ ...length, loc: ["body"], input: [] }]);
  const bytes: Buffer[] = [];
  const problems: Problem[] = [];
  for (const [index, item] of list.entries()) {
    const { message, problems: found } = readMessage(item, isList ? ["body", index] : ["body"]);
    problems.push(...found);
    if (message !== undefined) bytes.push(message);
    if (problems.length >= MOST_PROBLEMS) break;
  }
  if (problems.length > 0) throw new ValidationFailure(problems.slice(0, MOST_PROBLEMS));
  return bytes;
}

function lengthProblem(length: number): Pick<Problem, "type" | "msg" | "ctx"> | undefined {
  const facts = { field_type: "List", actual_length: length };
  if (length === 0) {
    const msg = "List should have at least 1 item after validation, not 0";
    return { type: "too_short", msg, ctx: { ...facts, min_length: 1 } };
  }
  if (length <= MOST_MESSAGES) return undefined;
  const msg = `List should have at most ${MOST_MESSAGES} items after validation, not ${length}`;
  return { type: "too_long", msg, ctx: { ...facts, max_length: MOST_MESSAGES } };
}

function readMessage(item: unknown, loc: Place): { message?: Buffer; problems: readonly Problem[] } {
  const problems = problemsIn(messageShape, item, loc);
  if (problems.length > 0) return { problems };
  try {
    const message = messageOf(item);
    checkKeys(message);
    const bytes = serialise(message);
    if (bytes.length > LONGEST_MESSAGE_BYTES) return { problems: [{ ...TOO_LONG, loc, input: null }] };
    return { message: bytes, problems };
  } catch (thrown) {
    const { code, message: msg, details } = toGatewayError(thrown);
    const field = typeof details.field === "string" ? details.field : undefined;
    const problem = { type: "value_error", msg: `Value error, ${msg}`, ctx: { code, ...details } };
    return {
      problems: [{ ...problem, loc: field === undefined ? loc : [...loc, field], input: inputAt(item, field) }],
    };
  }
}

const TOO_LONG = { type: "value_error", msg: "Value error, the message is longer than any that PIXL sends" };

function inputAt(item: unknown, field: string | undefined): unknown {
  if (field === undefined || typeof item !== "object" || item === null) return null;
  return Reflect.get(item, field) ?? null;
}

/** For the page that programs read. */
export const messagesShape = z.union([messageShape, z.array(messageShape).min(1).max(MOST_MESSAGES)]);
