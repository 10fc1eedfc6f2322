import { z } from "zod";
import { type Answered, type Asked, ask } from "./ask.ts";
import { OPERATIONS } from "./operations.ts";
import { ScanHubError } from "./scanhub-error.ts";
import { isBlankResult, type ResultOut, resultOut, timeOf } from "./schemas.ts";

/** By how much the exam-manager's clock may be off. */
const CLOCK_SKEW_MS = 5_000;
const listed = z.array(resultOut);

export interface LostCreation {
  readonly taskId: string;
  /** When it was asked for. */
  readonly sinceMs: number;
  /** Results that are somebody's. */
  readonly isKnown: (resultId: string) => boolean;
  readonly cause: unknown;
}

/**
 * What became of a creation whose answer was lost: the blank result that it made, or undefined when it made none.
 * @throws ScanHubError SCANHUB_RESULT_UNCERTAIN when the task's results do not tell
 */
export async function adoptBlankResult(
  asked: Asked,
  { taskId, sinceMs, isKnown, cause }: LostCreation,
): Promise<ResultOut | undefined> {
  const uncertain = (thrown?: unknown): ScanHubError => {
    const { status, detail } = OPERATIONS.create_blank_result;
    return new ScanHubError("SCANHUB_RESULT_UNCERTAIN", {
      op: "create_blank_result",
      status,
      detail,
      cause: thrown ?? cause,
    });
  };
  const answer = await ask(asked, "create_blank_result", { path: `result/all/${taskId}` }).catch((thrown: unknown) => {
    asked.signal.throwIfAborted();
    throw uncertain(thrown);
  });
  const results = resultsOf(answer);
  if (results === undefined) throw uncertain();
  const candidates = results.filter((result) => {
    if (!isBlankResult(result) || isKnown(result.id)) return false;
    const createdAtMs = timeOf(result.datetime_created);
    return Number.isNaN(createdAtMs) || createdAtMs >= sinceMs - CLOCK_SKEW_MS;
  });
  if (candidates.length > 1) throw uncertain();
  return candidates[0];
}

function resultsOf({ status, text }: Answered): readonly ResultOut[] | undefined {
  if (status !== 200) return undefined;
  try {
    return listed.safeParse(JSON.parse(text)).data;
  } catch {
    return undefined;
  }
}
