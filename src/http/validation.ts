import type { z } from "zod";
import { GatewayError } from "../errors/gateway-error.ts";

/** One thing wrong with a request. It never repeats what was sent. */
export interface RequestProblem {
  readonly in: "path" | "query" | "body" | "header" | "settings";
  /** As `windows[0]`; empty when it is about the whole. */
  readonly at: string;
  readonly message: string;
  /** Of the settings file. */
  readonly line?: number;
}

const MOST_PROBLEMS = 20;

export class RequestError extends GatewayError {
  override readonly name = "RequestError";
  readonly problems: readonly RequestProblem[];

  constructor(problems: readonly RequestProblem[]) {
    super("API_REQUEST_INVALID", { problems: problems.length });
    this.problems = problems;
  }
}

/** @throws RequestError with every problem, up to a limit */
export function validated<T>(schema: z.ZodType<T>, value: unknown, where: RequestProblem["in"]): T {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  throw new RequestError(result.error.issues.slice(0, MOST_PROBLEMS).map((issue) => problemOf(issue, where)));
}

function problemOf(issue: z.core.$ZodIssue, where: RequestProblem["in"]): RequestProblem {
  const at = issue.path
    .map((part) => (typeof part === "number" ? `[${part}]` : `.${nameOf(String(part))}`))
    .join("")
    .replace(/^\./, "");
  return { in: where, at, message: messageOf(issue) };
}

/** Names of the caller's own making are not repeated. */
function nameOf(part: string): string {
  return /^[A-Za-z][A-Za-z0-9]{0,39}$/.test(part) ? part : "?";
}

/** The parser's own words quote values and keys in some places. */
function messageOf(issue: z.core.$ZodIssue): string {
  if (issue.code === "unrecognized_keys") return "has members that are not known";
  if (issue.code === "invalid_type") return `must be of the type ${issue.expected}`;
  if (issue.code === "invalid_value") return `must be one of ${issue.values.map(String).join(", ")}`;
  return issue.message;
}
