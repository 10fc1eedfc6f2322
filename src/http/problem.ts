import { SettingsError, type SettingsProblem } from "../config/problems.ts";
import { GatewayError, toGatewayError } from "../errors/gateway-error.ts";
import { type ErrorCode, errorRegistry } from "../errors/registry.ts";
import { RequestError, type RequestProblem } from "./validation.ts";

export const PROBLEM_TYPE = "application/problem+json; charset=utf-8";

/** RFC 9457, with the registry's code. */
export interface ProblemDocument {
  /** A name of the code; docs/errors.md explains it. */
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly code: ErrorCode;
  readonly class: string;
  readonly remedy: string;
  readonly details: GatewayError["details"];
  readonly problems?: readonly RequestProblem[];
  /** Of `GET /session` without one. */
  readonly ways?: readonly WayIn[];
}

/** A way for people to log in. */
export interface WayIn {
  readonly by: "token" | "openid connect";
  /** As people know it. */
  readonly name: string;
  /** Where a token is posted to, or a browser is sent. */
  readonly url: string;
}

/** Nobody is logged in, and these are the ways to. */
export class LogInNeeded extends GatewayError {
  override readonly name = "LogInNeeded";
  readonly ways: readonly WayIn[];

  constructor(code: "API_TOKEN_MISSING" | "API_TOKEN_INVALID", ways: readonly WayIn[]) {
    super(code);
    this.ways = ways;
  }
}

/** Codes that have an answer of their own; the others are told by their class. */
const STATUS: { readonly [Code in ErrorCode]?: number } = {
  API_REQUEST_CUT: 400,
  API_REQUEST_MALFORMED: 400,
  OIDC_ANSWER_INVALID: 400,
  OIDC_LOG_IN_EXPIRED: 400,
  API_TOKEN_INVALID: 401,
  API_TOKEN_MISSING: 401,
  API_SESSION_UNPROVEN: 403,
  OIDC_LOG_IN_REFUSED: 403,
  OIDC_USER_UNMAPPED: 403,
  PROJECTS_LIMITED: 403,
  ROLE_INSUFFICIENT: 403,
  API_ADDRESS_UNKNOWN: 404,
  ARCHIVE_UNKNOWN: 404,
  COHORT_NOT_FOUND: 404,
  FLIP_NOT_CONFIGURED: 404,
  FLIP_PROJECT_NOT_FOUND: 404,
  INQUIRY_NOT_FOUND: 404,
  STANDING_NOT_FOUND: 404,
  STANDING_NAME_TAKEN: 409,
  INTAKE_NOT_HELD: 404,
  JOB_NOT_FOUND: 404,
  LINKAGE_NOT_KEPT: 404,
  NODE_UNKNOWN: 404,
  NOTIFICATION_CHANNEL_UNKNOWN: 404,
  OIDC_NOT_CONFIGURED: 404,
  PROJECT_UNKNOWN: 404,
  STUDY_REPORT_NOT_KEPT: 404,
  STUDY_THUMBNAIL_NOT_KEPT: 404,
  SCAN_RESULT_NOT_FOUND: 404,
  SCAN_TASK_NOT_FOUND: 404,
  TOKEN_UNKNOWN: 404,
  API_METHOD_NOT_ALLOWED: 405,
  API_REQUEST_TIMED_OUT: 408,
  IDEMPOTENCY_UNFINISHED: 409,
  NODE_AT_WORK: 409,
  SCAN_TASK_NOT_SCHEDULED: 409,
  SCAN_TASK_TAKEN: 409,
  STUDY_NOT_QUARANTINED: 409,
  TOKEN_NAME_TAKEN: 409,
  SEARCH_NOT_KEPT: 409,
  LINKAGE_DESTROYED: 410,
  API_BODY_TOO_LARGE: 413,
  API_CONTENT_TYPE_UNSUPPORTED: 415,
  API_RATE_LIMITED: 429,
  INTERNAL: 500,
  OIDC_CLIENT_REFUSED: 500,
};

/** What the gateway could not do at this time is its own affair; what was asked wrongly is the caller's. */
const STATUS_OF_CLASS = { transient: 503, ambiguous: 503, permanent: 422 } as const;

export function statusOf(code: ErrorCode): number {
  return STATUS[code] ?? STATUS_OF_CLASS[errorRegistry[code].class];
}

export function problemOf(thrown: unknown): ProblemDocument {
  const error = toGatewayError(thrown);
  const { code, message, details } = error;
  const { remedy } = errorRegistry[code];
  return {
    type: `urn:radferry:error:${code}`,
    title: message,
    status: statusOf(code),
    code,
    class: error.class,
    remedy,
    details,
    ...(error instanceof RequestError ? { problems: error.problems } : {}),
    ...(error instanceof SettingsError ? { problems: error.problems.map(problemOfSettings) } : {}),
    ...(error instanceof LogInNeeded ? { ways: error.ways } : {}),
  };
}

function problemOfSettings({ path, message, line, source }: SettingsProblem): RequestProblem {
  const said = source === undefined ? message : `${message} (${source})`;
  return { in: "settings", at: path, message: said, ...(line === undefined ? {} : { line }) };
}
