import type { Instance } from "../study/documents.ts";

/** What somebody would let a study go with. */
export interface Wish {
  readonly reason: string;
  /** Numbers of instances. */
  readonly leaveOut: ReadonlySet<number>;
  readonly leaveOutRejected: boolean;
  readonly allowed: ReadonlySet<string>;
  /** Further tags, as they were typed. */
  readonly furtherTags: string;
}

export const NO_WISH: Wish = {
  reason: "",
  leaveOut: new Set(),
  leaveOutRejected: false,
  allowed: new Set(),
  furtherTags: "",
};

export const REASON_LIMIT = 200;

/** "name in (0040,A730)/(0040,A160)": where an identifier was found. */
const PLACE = /\bin (\([0-9A-F]{4},[0-9A-Fx]{4}\)(?:\/\([0-9A-F]{4},[0-9A-Fx]{4}\))*)$/;

/** Places that reasons name, each with what was found there and in how many instances. */
export function placesOf(
  instances: readonly Instance[],
): readonly { readonly place: string; readonly found: string; readonly count: number }[] {
  const counts = new Map<string, number>();
  for (const { reason = "" } of instances) if (PLACE.test(reason)) counts.set(reason, (counts.get(reason) ?? 0) + 1);
  return [...counts].flatMap(([found, count]) => {
    const place = PLACE.exec(found)?.[1];
    return place === undefined ? [] : [{ place, found, count }];
  });
}

export function allowTagsOf({ allowed, furtherTags }: Wish): readonly string[] {
  const typed = furtherTags.split(/[\s;]+/).filter(Boolean);
  return [...new Set([...allowed, ...typed])];
}

/** The body of the request. */
export function releaseBody(wish: Wish) {
  return {
    reason: wish.reason.trim(),
    leaveOut: [...wish.leaveOut].map(String),
    leaveOutRejected: wish.leaveOutRejected,
    allowTags: allowTagsOf(wish),
  };
}

/** Why it cannot be asked for yet; undefined: it can. */
export function objectionTo(wish: Wish): string | undefined {
  if (wish.leaveOut.size === 0 && !wish.leaveOutRejected && allowTagsOf(wish).length === 0)
    return "Choose what is left out, or where an identifier may stand.";
  return wish.reason.trim() === "" ? "Write why it may go." : undefined;
}
