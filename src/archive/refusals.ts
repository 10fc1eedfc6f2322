import type { ErrorCode } from "../errors/registry.ts";

/** Why instances were not taken, among those that are asked about. */
export interface Reason {
  readonly code: ErrorCode;
  /** How many of them were refused. */
  readonly refused: number;
}

/** Why instances that were sent to us are not in staging, so that a study lacking them can say so. */
export interface Refusals {
  /** @param uids those it may be asked about by: the instance as announced and as it names itself, its study */
  noteRefusal(uids: readonly string[], code: ErrorCode): void;
  /** Whether one of them was refused; it is told as often as one asks. */
  isRefused(uids: readonly string[]): boolean;
  /** The code with which the first of them was last refused; it is told once, as the next try may end otherwise. */
  takeReason(uids: readonly string[]): Reason | undefined;
}

const MAXIMUM_REFUSALS = 10_000;

export function createRefusals(): Refusals {
  const codes = new Map<string, ErrorCode>();
  const note = (uid: string, code: ErrorCode): void => {
    codes.delete(uid);
    codes.set(uid, code);
    const [oldest] = codes.keys();
    if (codes.size > MAXIMUM_REFUSALS && oldest !== undefined) codes.delete(oldest);
  };
  return {
    noteRefusal(uids, code) {
      for (const uid of new Set(uids)) note(uid, code);
    },
    isRefused: (uids) => uids.some((uid) => codes.has(uid)),
    takeReason(uids) {
      const found = uids.flatMap((uid) => codes.get(uid) ?? []);
      for (const uid of uids) codes.delete(uid);
      const [code] = found;
      return code === undefined ? undefined : { code, refused: found.length };
    },
  };
}
