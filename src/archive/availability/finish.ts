import type { OpeningHours } from "./opening-hours.ts";

const WEEK_MS = 7 * 86_400_000;
/** What takes longer will not be waited for. */
const MAXIMUM_WEEKS = 520;
/** Of the few weeks that are walked through; a table of windows has far fewer. */
const MAXIMUM_WINDOWS = 500;

/**
 * When so much time within the windows will have passed; undefined: not within ten years, or never. Whole weeks are taken to be like the first.
 * @param workMs time that the work takes while the archive is open
 */
export function finishMs(hours: OpeningHours, fromMs: number, workMs: number): number | undefined {
  const opensMs = hours.nextOpeningMs(fromMs);
  if (opensMs === undefined) return undefined;
  const week = walk(hours, opensMs, { untilMs: opensMs + WEEK_MS, workMs });
  if (week.doneMs !== undefined) return week.doneMs;
  const weeks = Math.ceil(workMs / week.openMs) - 1;
  if (weeks > MAXIMUM_WEEKS) return undefined;
  const last = { untilMs: Number.POSITIVE_INFINITY, workMs: workMs - weeks * week.openMs };
  return walk(hours, opensMs + weeks * WEEK_MS, last).doneMs;
}

/** Through the windows from a time on, until another or until the work is done. */
function walk(
  hours: OpeningHours,
  fromMs: number,
  { untilMs, workMs }: { readonly untilMs: number; readonly workMs: number },
): { readonly openMs: number; readonly doneMs?: number } {
  let openMs = 0;
  let atMs = hours.nextOpeningMs(fromMs);
  for (let windows = 0; atMs !== undefined && atMs < untilMs && windows < MAXIMUM_WINDOWS; windows += 1) {
    const closesMs = hours.closesAtMs(atMs) ?? Number.POSITIVE_INFINITY;
    const doneMs = atMs + (workMs - openMs);
    if (doneMs <= Math.min(closesMs, untilMs)) return { openMs: workMs, doneMs };
    openMs += Math.min(closesMs, untilMs) - atMs;
    atMs = closesMs < untilMs ? hours.nextOpeningMs(closesMs) : undefined;
  }
  return { openMs };
}
