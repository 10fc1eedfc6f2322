import type { IdentifierKind } from "./identifier-kinds.ts";
import { SHORTEST_DIGITS } from "./plain-integer.ts";

/** A number this long is found wherever it stands in a component; a shorter one at its edges: chance spells it in times and random numbers. */
const FOUND_ANYWHERE_DIGITS = 8;
/** Identifiers of more digits are not sought within a component. */
const LONGEST_DIGITS = 20;
const DAY = /^(?:19|20)[0-9]{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12][0-9]|3[01])/;
const DAY_DIGITS = 8;

/**
 * The kind of a number that went into a longer component of a UID, with a day, a time or a count beside it: at its beginning, behind a day,
 * at its end, and a longer one anywhere. Days are what most components are made of: only a birthday is anybody's.
 */
export function kindWithin(
  component: string,
  kindOf: (digits: string) => IdentifierKind | undefined,
): IdentifierKind | undefined {
  const end = component.length;
  if (end <= SHORTEST_DIGITS) return undefined;
  const first = firstNonZero(component, 0);
  const behindDay = DAY.test(component) ? firstNonZero(component, DAY_DIGITS) : first;
  for (let start = first; start + SHORTEST_DIGITS <= end; start += 1) {
    if (component.charAt(start) === "0") continue;
    const isFirst = start === first || start === behindDay;
    for (let length = SHORTEST_DIGITS; length <= LONGEST_DIGITS && start + length <= end; length += 1) {
      if (length < FOUND_ANYWHERE_DIGITS && !isFirst && start + length < end) continue;
      const digits = component.slice(start, start + length);
      const kind = kindOf(digits);
      if (kind !== undefined && (kind === "birth-date" || !isDay(digits))) return kind;
    }
  }
  return undefined;
}

function isDay(digits: string): boolean {
  return digits.length === DAY_DIGITS && DAY.test(digits);
}

function firstNonZero(digits: string, from: number): number {
  let at = from;
  while (digits.charAt(at) === "0") at += 1;
  return at;
}
