import type { DataElement } from "../../dicom/data-set.ts";
import type { PseudonymKind } from "../pseudonyms/pseudonymizer.ts";
import type { AttributeTypes } from "../rules/attribute-type.ts";
import type { CompiledRules } from "../rules/compiled-rules.ts";
import type { ContentMode } from "../rules/content-rules.ts";
import type { ComposedSource } from "./composed-source.ts";
import type { LongTexts } from "./long-texts.ts";
import type { Tally } from "./tally.ts";
import type { Recollection } from "./treated-elements.ts";

/** Everything the filter knows while it goes through one object. */
export interface FilterContext {
  readonly rules: CompiledRules;
  readonly types: AttributeTypes;
  /** Sequences around what is looked at, the outermost first. */
  readonly within: readonly number[];
  readonly pseudonym: string;
  readonly shiftDays: number;
  /** The patient is known to be no older than 89 years. */
  readonly birthDateTellable: boolean;
  /** Of the bytes of an accession number, study id or device. */
  readonly identifier: (kind: PseudonymKind, bytes: Uint8Array) => string;
  readonly uid: (originalUid: string) => string;
  readonly source: ComposedSource;
  /** Of the elements that are judged by what was left in the source. */
  readonly longTexts: LongTexts;
  /** The source's numbers are in big endian order. PS3.5 7.3. */
  readonly bigEndian: boolean;
  /** The source says no VRs: those of private elements cannot be compared. PS3.5 A.1. */
  readonly implicitVr: boolean;
  /** Whether a folded word names somebody or something of this study. */
  readonly isIdentifier: (folded: string) => boolean;
  /** Whether a text is the patient's name or number and nothing else. */
  readonly isPatients: (text: string) => boolean;
  /** The name that stands for one of the source throughout this object. */
  readonly rename: (prefix: string, name: string) => string;
  /** Told when a text that is kept is not ASCII. */
  readonly noteUtf8: () => void;
  /** Told when what becomes of an element follows from what became of others. */
  readonly dependOnOthers: () => void;
  /** Of the elements of the top level. */
  readonly recollection: Pick<Recollection, "recall" | "treat">;
  readonly contentMode: ContentMode;
  readonly tally: Tally;
  readonly signal: AbortSignal;
}

/** Within the items of a sequence. One that was written as UN is implicit VR little endian inside, whatever is around it. PS3.5 6.2.2. */
export function contextInside({ tag, vr }: DataElement, context: FilterContext): FilterContext {
  const inside = { ...context, within: [...context.within, tag] };
  return vr === "UN" ? { ...inside, bigEndian: false, implicitVr: true } : inside;
}
