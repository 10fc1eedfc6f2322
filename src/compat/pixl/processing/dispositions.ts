import { AVAILABILITY_CODES } from "../../../archive/availability/govern-archive.ts";
import type { GatewayError } from "../../../errors/gateway-error.ts";
import type { ErrorCode } from "../../../errors/registry.ts";
import { type RetryPolicy, retryDelayMs } from "../../../pipeline/retry.ts";
import type { Random } from "../../../units/random.ts";
import { DiscardError, OutOfHoursError, RequeueMessageError, StudyNotInPrimaryArchiveError } from "./errors.ts";

/** What becomes of a message that was not finished. */
export type Disposition =
  /** To the queue of the secondary archive. */
  | { readonly kind: "forward" }
  /** Held until then. `counts`: a try of its own was used up. */
  | { readonly kind: "wait"; readonly code: ErrorCode; readonly untilMs: number; readonly counts: boolean }
  /** Ended, as PIXL ends it; written down as failed. */
  | { readonly kind: "discard"; readonly code: ErrorCode }
  /** Ended; it goes to the parked queue, where a person finds it. */
  | { readonly kind: "park"; readonly failure: GatewayError };

export interface RetryPolicies {
  /** Of what may be the fault of what is asked for: its tries are its own, and it stands in the way of others. */
  readonly own: RetryPolicy;
  /** Of the site's services that are away, or refuse everybody: the work waits for them. */
  readonly site: RetryPolicy;
}

/** A message's own tries end after some two minutes, those that wait for the site's services after some weeks. */
export const RETRY: RetryPolicies = {
  own: { attempts: 8, firstDelayMs: 1_000, maximumDelayMs: 60_000 },
  site: { attempts: 100_000, firstDelayMs: 500, maximumDelayMs: 30_000 },
};

/** Failures of the site's services: every other message would fail with them just so. */
const OF_THE_SITE: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  "CONNECTION_FAILED",
  "HTTP_FORBIDDEN",
  "HTTP_TOO_MANY_REQUESTS",
  "HTTP_UNAUTHORISED",
  "HTTP_UNAVAILABLE",
  "ORTHANC_MODALITY_UNKNOWN",
  "PIXL_BROKER_REFUSED",
  "PIXL_BROKER_UNAVAILABLE",
]);

/** The archive is there and will not search for this one, or we cannot: of other messages that says nothing. */
const OF_THE_SEARCH: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  "ARCHIVE_REFUSED_REQUEST",
  "DIMSE_FAILED",
  "INTERNAL",
]);

/**
 * An archive that does not have a study is no failure of anybody's: PIXL drops such messages, and its command line asks again. Nor is there
 * anything for a person to do about a patient who was withdrawn.
 */
const DROPPED: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  "PATIENT_WITHDRAWN",
  "PIXL_SECONDARY_IS_PRIMARY",
  "PIXL_STUDY_NOT_FOUND",
]);

interface Tried {
  /** The message's own tries that failed; those that failed by the site's services are not among them. */
  readonly failures: number;
  readonly attempts: number;
  readonly nowMs: number;
}

export function dispositionOf(
  failure: GatewayError,
  { failures, attempts, nowMs }: Tried,
  { own, site }: RetryPolicies,
  random: Random,
): Disposition {
  const { code, details } = failure;
  if (failure instanceof StudyNotInPrimaryArchiveError) return { kind: "forward" };
  if (failure instanceof OutOfHoursError) return { kind: "wait", code, untilMs: failure.untilMs, counts: false };
  if (failure instanceof DiscardError && DROPPED.has(code)) return { kind: "discard", code };
  if (!(failure instanceof RequeueMessageError)) return { kind: "park", failure };
  if (AVAILABILITY_CODES.has(code) && typeof details.untilMs === "number") {
    return { kind: "wait", code, untilMs: details.untilMs, counts: false };
  }
  const isSites = OF_THE_SITE.has(code) || (failure.stage === "asking" && !OF_THE_SEARCH.has(code));
  const tries = isSites ? attempts : failures;
  const policy = isSites ? site : own;
  if (tries + 1 >= policy.attempts) return { kind: "park", failure };
  const untilMs = nowMs + retryDelayMs(policy, tries + 1, random, details);
  return { kind: "wait", code, untilMs, counts: !isSites };
}
