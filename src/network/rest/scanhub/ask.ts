import { toGatewayError } from "../../../errors/gateway-error.ts";
import type { Clock } from "../../../units/clock.ts";
import { HttpError } from "../../http-client/http-error.ts";
import { readText } from "../../http-client/read-body.ts";
import type { HttpClient, HttpRequest } from "../../http-client/types.ts";
import { OPERATIONS, type Operation } from "./operations.ts";
import { ScanHubError } from "./scanhub-error.ts";

/** A sequence goes as text within its document. */
const MAXIMUM_ANSWER_BYTES = 64 * 1024 * 1024;
const MAXIMUM_KEPT_CHARACTERS = 4_096;
const ATTEMPTS = 3;
const FIRST_WAIT_MS = 100;
/** Answers of a proxy, or of a service that is starting. */
const PASSING: ReadonlySet<number> = new Set([429, 502, 503, 504]);

export interface Asked {
  readonly http: HttpClient;
  readonly clock: Clock;
  /** Of the whole operation, repetitions included. */
  readonly timeoutMs: number;
  readonly userAccessToken: string;
  readonly signal: AbortSignal;
}

export interface Answered {
  readonly status: number;
  readonly text: string;
  /** It was asked for more than once: the first time may have done it. */
  readonly isRepeated?: boolean;
}

/** One exchange, whatever its status. @throws HttpError, and the reason of the signal */
export async function exchangeOnce(asked: Asked, request: HttpRequest, timeoutMs: number): Promise<Answered> {
  const { http, userAccessToken, signal } = asked;
  const headers = { Authorization: `Bearer ${userAccessToken}`, Accept: "application/json", ...request.headers };
  const timeouts = { headersMs: timeoutMs, idleMs: timeoutMs, totalMs: timeoutMs };
  try {
    await using response = await http.request({ ...request, headers, timeouts, signal, accepts: () => true });
    return { status: response.status, text: await readText(response, MAXIMUM_ANSWER_BYTES) };
  } catch (thrown) {
    // Of a 401 the client keeps the status alone.
    if (thrown instanceof HttpError && thrown.status !== undefined) return { status: thrown.status, text: "" };
    throw thrown;
  }
}

/**
 * An operation that may be repeated: tried again after a lost connection or an answer that passes, as long as there is time.
 * @throws ScanHubError SCANHUB_UNREACHABLE; the reason of the signal
 */
export async function ask(asked: Asked, op: Operation, request: HttpRequest): Promise<Answered> {
  const { clock, timeoutMs, signal } = asked;
  const endsAtMs = clock.nowMs() + timeoutMs;
  for (let attempt = 1; ; attempt += 1) {
    const waitMs = FIRST_WAIT_MS * 2 ** (attempt - 1);
    const isLast = (): boolean => attempt === ATTEMPTS || clock.nowMs() + waitMs >= endsAtMs;
    try {
      const answer = await exchangeOnce(asked, request, Math.max(1, endsAtMs - clock.nowMs()));
      if (!PASSING.has(answer.status) || isLast()) return { ...answer, isRepeated: attempt > 1 };
    } catch (thrown) {
      signal.throwIfAborted();
      if (isLast()) throw unreachable(op, thrown);
    }
    await clock.sleep(waitMs, signal);
  }
}

/** Nothing came, or not in time. */
export function unreachable(op: Operation, cause: unknown): ScanHubError {
  const { detail } = OPERATIONS[op];
  return new ScanHubError("SCANHUB_UNREACHABLE", {
    op,
    status: 503,
    detail,
    retryable: toGatewayError(cause).class !== "permanent",
    cause,
  });
}

/** Every status but the one that counts becomes the operation's own pair. */
export function refused(op: Operation, { status: upstreamStatus, text }: Answered): ScanHubError {
  const { status, detail } = OPERATIONS[op];
  return new ScanHubError("SCANHUB_REFUSED", {
    op,
    status,
    detail,
    upstreamStatus,
    upstreamBody: text.slice(0, MAXIMUM_KEPT_CHARACTERS),
    retryable: PASSING.has(upstreamStatus),
  });
}
