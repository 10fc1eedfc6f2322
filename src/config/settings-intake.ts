import type { IntakeRule } from "../archive/intake/rules.ts";
import type { DicomAddress } from "../dicom/ae-title.ts";
import { tagOfKeyword } from "../dicom/dictionary/dictionary.ts";
import type { Manifest } from "./manifest.ts";

/** Of what is sent to our listener unasked. */
export interface IntakeSettings {
  readonly quietSeconds: number;
  readonly longestSeconds: number;
  /** Where senders take results of storage commitment. */
  readonly commitTo: readonly DicomAddress[];
  readonly rules: readonly IntakeRule[];
}

export function resolveIntake({ rules, ...patience }: NonNullable<Manifest["intake"]>): IntakeSettings {
  const tagged = rules.map(({ values = [], ...rule }) => ({
    ...rule,
    values: values.flatMap(({ keyword, value }) => {
      const tag = tagOfKeyword(keyword);
      return tag === undefined ? [] : [[tag, value] as const];
    }),
  }));
  return { ...patience, rules: tagged };
}
