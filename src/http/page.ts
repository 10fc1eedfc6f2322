import { GatewayError, toGatewayError } from "../errors/gateway-error.ts";
import type { ErrorCode } from "../errors/registry.ts";
import { RequestError } from "./validation.ts";

export interface PageDocument<T> {
  readonly items: readonly T[];
  readonly next: string | null;
}

/** A page of items. One more is read than is shown, to know whether there is a next page. */
export async function pageFrom<T>(
  items: AsyncIterable<T>,
  { limit, cursorOf }: { readonly limit: number; readonly cursorOf: (item: T) => string },
): Promise<PageDocument<T>> {
  const shown: T[] = [];
  for await (const item of items) {
    if (shown.length === limit) return { items: shown, next: cursorOf(shown.at(-1) ?? item) };
    shown.push(item);
  }
  return { items: shown, next: null };
}

const NOT_FOUND: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  "COHORT_NOT_FOUND",
  "JOB_NOT_FOUND",
  "SCAN_RESULT_NOT_FOUND",
  "SCAN_TASK_NOT_FOUND",
]);

/** A cursor that leads nowhere is a mistake in the request, not something that is missing. */
export async function withCursor<T>(cursor: string | undefined, ask: () => Promise<T>): Promise<T> {
  try {
    return await ask();
  } catch (thrown) {
    const isLost = cursor !== undefined && thrown instanceof GatewayError && NOT_FOUND.has(toGatewayError(thrown).code);
    throw isLost ? new RequestError([{ in: "query", at: "cursor", message: "is of no page that there was" }]) : thrown;
  }
}
