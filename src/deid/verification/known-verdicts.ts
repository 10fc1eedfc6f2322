import type { Rule, Treatment } from "../rules/rule.ts";
import type { ElementCheck, Expectations } from "./check-element.ts";
import { pathOf, type Token } from "./tokenizer.ts";

/**
 * Judgements on elements of earlier outputs. One that is the same again, byte for byte, at the same place and under the same rule, is
 * judged the same where nothing else of its instance has a say: the slices of a series mostly hold the same.
 */
export interface VerdictMemory {
  /** For an output of which this is expected. */
  of(expectations: Expectations): KnownVerdicts;
}

export interface KnownVerdicts {
  /** Undefined: it must be judged. */
  of(token: Token, bytes: Buffer | undefined, rule: Rule): ElementCheck | undefined;
  /** What was judged where nothing was known. */
  keep(token: Token, bytes: Buffer | undefined, rule: Rule, check: ElementCheck): void;
}

interface Verdict {
  readonly vr: string;
  readonly bytes: Uint8Array;
  readonly rule: Rule;
  readonly check: ElementCheck;
}

/** Treatments whose outputs can be judged by value and rule alone; those of others depend on what the source had. */
const FOLLOW_FROM_VALUE: ReadonlySet<Treatment["kind"]> = new Set([
  ...(["none", "number", "round", "terms", "text", "code", "mark"] as const),
]);
/** VRs that are judged against the source in any case: UIDs must be the new ones of its own, dates must not be its own. */
const OF_SOURCE_VRS: ReadonlySet<string> = new Set(["UI", "DA", "DT"]);
/** Longer values are not remembered. */
const LONGEST_BYTES = 128;
/** At most about a megabyte, with values of LONGEST_BYTES. */
const VERDICTS_LIMIT = 4_000;

const ALWAYS_ANEW: KnownVerdicts = { of: () => undefined, keep() {} };

export function createVerdictMemory(): VerdictMemory {
  let verdicts = new Map<number | string, Verdict>();
  let basis: Pick<Expectations, "marks" | "optionCodes"> | undefined;
  const known: KnownVerdicts = {
    of(token, bytes, rule) {
      if (bytes === undefined || !followsFromValue(token, bytes, rule)) return undefined;
      const before = verdicts.get(placeIn(token));
      return before?.rule === rule && before.vr === token.vr && isSame(before.bytes, bytes) ? before.check : undefined;
    },
    keep(token, bytes, rule, check) {
      if (bytes === undefined || !followsFromValue(token, bytes, rule)) return;
      const place = placeIn(token);
      if (verdicts.size < VERDICTS_LIMIT || verdicts.has(place))
        verdicts.set(place, { vr: token.vr, bytes: Uint8Array.from(bytes), rule, check });
    },
  };
  return {
    of(expectations) {
      const { marks, optionCodes, mask, written } = expectations;
      if (mask !== undefined || written.size > 0) return ALWAYS_ANEW;
      if (basis?.marks !== marks || basis.optionCodes !== optionCodes) {
        verdicts = new Map();
        basis = { marks, optionCodes };
      }
      return known;
    },
  };
}

function followsFromValue({ kind, vr }: Token, bytes: Buffer, { treatment }: Rule): boolean {
  return (
    kind === "value" && bytes.length <= LONGEST_BYTES && FOLLOW_FROM_VALUE.has(treatment.kind) && !OF_SOURCE_VRS.has(vr)
  );
}

function placeIn(token: Token): number | string {
  return token.parentTag === 0 ? token.tag : pathOf(token);
}

function isSame(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false;
  for (let index = 0; index < a.length; index += 1) if (a[index] !== b[index]) return false;
  return true;
}
