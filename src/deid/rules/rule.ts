import { type OptionSet, optionSet } from "../profiles/options.ts";
import type { PseudonymKind } from "../pseudonyms/pseudonymizer.ts";
import type { TextForm } from "../tables/text-forms.ts";
import type { Vocabulary } from "./clean-text.ts";

/** What an attribute's Type in the IOD (PS3.3 5.3) makes of it when its value may not stay. */
export type Fallback = "remove" | "empty" | "dummy";

/** PS3.15 E.1.1: the letters of a combined code in the order of the attribute's Type. */
export interface ByType {
  /** Type 3, or not in the IOD. */
  readonly optional: Fallback;
  /** Type 2 and 2C. */
  readonly empty: Fallback;
  /** Type 1 and 1C. */
  readonly required: Fallback;
  readonly unknown: Fallback;
}

/** What a measure of a patient can be: anything else is a slip or a message. */
export interface NumberBand {
  readonly minimum: number;
  readonly maximum: number;
}

/** What is tried first; the fallback takes what it refuses. */
export type Treatment =
  | { readonly kind: "none" }
  | { readonly kind: "uid" }
  /** Dates and times of the patient's time line: moved by the patient's days. */
  | { readonly kind: "shift" }
  /** Dates and times as they are, when they are any. */
  | { readonly kind: "date" }
  | { readonly kind: "age" }
  /** Patient ID and Patient's Name: the pseudonym. */
  | { readonly kind: "pseudonym" }
  /** Accession number, study id, device: a keyed text. */
  | { readonly kind: "identifier"; readonly of: PseudonymKind }
  /** The year of birth or a moved date, of patients known to be no older than 89 years. */
  | { readonly kind: "birth-date"; readonly mode: "year" | "shifted" }
  /** Binary numbers, and number strings whose every value parses and lies within the band. */
  | { readonly kind: "number"; readonly band?: NumberBand }
  | { readonly kind: "terms"; readonly terms: ReadonlySet<string>; readonly otherwise: string | undefined }
  | { readonly kind: "text"; readonly form: TextForm }
  /** A text as it is: what an option retains. */
  | { readonly kind: "as-is" }
  /** A UID as it is. */
  | { readonly kind: "kept-uid" }
  /** Free text, of which the words of a vocabulary stay. */
  | { readonly kind: "clean"; readonly vocabulary: Vocabulary }
  /** Pixel data. */
  | { readonly kind: "pixels" }
  /** Tables of binary numbers kept as words: look-up tables. */
  | { readonly kind: "words" }
  /** A sequence that stays, its items judged element by element; X/Z/U* only where the IOD asks for it. */
  | { readonly kind: "walk"; readonly unlessOptional: boolean }
  /** A name that others refer to: the same new one for the same, throughout the object. */
  | { readonly kind: "renamed"; readonly prefix: string }
  /** Content items, each judged by its concept name and value type. PS3.15 E.3.4. */
  | { readonly kind: "content" }
  /** Number strings as multiples of `step`. */
  | { readonly kind: "round"; readonly step: number }
  /** A label made from the number beside it: ROI_3. One of words of the vocabulary alone stays as it is. */
  | { readonly kind: "numbered"; readonly prefix: string; readonly numberTag: number; readonly vocabulary?: Vocabulary }
  /** Value, scheme and meaning of a coded entry, judged together. PS3.3 8.8. */
  | { readonly kind: "code" }
  /** Written by the engine for every object, whatever the source holds. */
  | { readonly kind: "mark" };

/** Why an element went, for the report. */
type RemovalReason = "table" | "unlisted" | "private" | "structure" | "profile";

export interface Rule {
  readonly treatment: Treatment;
  readonly fallback: ByType;
  readonly reason: RemovalReason;
  /** The options that decided its treatment; undefined: the basic profile alone, or a rule of the profile. */
  readonly options?: OptionSet | undefined;
  /** A dummy other than the one of the VR. */
  readonly dummy?: string;
  /** Its values may equal an identifier: a manufacturer named like the patient. */
  readonly mayRepeat?: boolean;
}

const BY_TREATMENT: Readonly<Partial<Record<Treatment["kind"], OptionSet>>> = {
  shift: optionSet("retain-longitudinal-modified-dates"),
  date: optionSet("retain-longitudinal-full-dates"),
  clean: optionSet("clean-descriptors"),
  "kept-uid": optionSet("retain-uids"),
};

/** The option that a treatment carries out, whoever asked for it; 0: none. */
export function optionsOfTreatment(treatment: Treatment): OptionSet {
  if (treatment.kind === "numbered" && treatment.vocabulary !== undefined) return optionSet("clean-descriptors");
  return BY_TREATMENT[treatment.kind] ?? 0;
}
