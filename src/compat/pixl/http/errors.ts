import { AnswerError } from "../../fastapi/answer-error.ts";
import { pythonFloat } from "../../fastapi/python-json.ts";

/** In the original's own words. */
export function rateRefused(rate: number): AnswerError {
  const detail = `Refresh rate mush be a positive integer. Had ${pythonFloat(rate)}`;
  return new AnswerError(406, detail, { code: "PIXL_RATE_REFUSED" });
}

/** The original says OK whatever happens; whoever watches it is to start us again. */
export function workerDead(queues: readonly string[]): AnswerError {
  return new AnswerError(503, `Not worked off: ${queues.join(", ")}`, { code: "INTERNAL" });
}

export function tokenRefused(detail: string): AnswerError {
  return new AnswerError(401, detail, { code: "PIXL_TOKEN_REFUSED" });
}
