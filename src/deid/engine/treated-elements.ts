import type { DataElement } from "../../dicom/data-set.ts";
import type { Tag } from "../../dicom/tag.ts";
import type { StudyPseudonyms } from "../pseudonyms/pseudonymizer.ts";
import type { AttributeTypes } from "../rules/attribute-type.ts";
import type { CompiledRules } from "../rules/compiled-rules.ts";
import type { ContentMode } from "../rules/content-rules.ts";
import type { FilterContext } from "./filter-context.ts";
import type { Deeds, Tally } from "./tally.ts";

/** Everything besides the element itself that decides what becomes of an element of the top level, but for what it asks of the instance. */
export interface TreatmentBasis {
  readonly rules: CompiledRules;
  readonly types: AttributeTypes;
  readonly pseudonyms: StudyPseudonyms;
  readonly characterSet: string | undefined;
  readonly birthDateTellable: boolean;
  readonly bigEndian: boolean;
  readonly implicitVr: boolean;
  readonly contentMode: ContentMode;
}

/** What became of elements that other instances have too: the slices of a series mostly hold the same. */
export interface TreatmentMemory {
  on(basis: TreatmentBasis): TreatedElements;
}

type TreatedElements = WeakMap<DataElement, Treated>;

interface Treated {
  /** Undefined: it went. */
  readonly output: DataElement | undefined;
  readonly deeds: Deeds;
  readonly asked: readonly Question[];
  readonly isForeign: boolean;
}

/** What a treatment asked of the instance, and was answered. */
interface Question {
  readonly about: "isIdentifier" | "isPatients";
  readonly text: string;
  readonly answer: boolean;
}

/** What a treatment may ask of the instance and tell it. */
type Answers = Pick<FilterContext, "isIdentifier" | "isPatients" | "noteUtf8" | "dependOnOthers">;

/** The treatments of one instance: what follows from an element alone is done once for all instances that have it. */
export interface Recollection {
  /** The same, listened to. */
  readonly answers: Answers;
  /** Puts to the others what became of the element, if it is known and stayed. @returns false where it is not known */
  recall(element: DataElement, kept: Map<Tag, DataElement>): boolean;
  /** @param work puts what the element becomes, if it stays, to the others by the element's own tag */
  treat(element: DataElement, kept: Map<Tag, DataElement>, work: () => void): void;
}

/** Series whose instances come by turns. */
const BASES_LIMIT = 16;
const QUESTIONS_LIMIT = 200;

export function createTreatmentMemory(): TreatmentMemory {
  const known: { readonly basis: TreatmentBasis; readonly treated: TreatedElements }[] = [];
  return {
    on(basis) {
      const found = known.find((each) => isSame(each.basis, basis));
      if (found !== undefined) return found.treated;
      if (known.length >= BASES_LIMIT) known.shift();
      const treated: TreatedElements = new WeakMap();
      known.push({ basis, treated });
      return treated;
    },
  };
}

function isSame(a: TreatmentBasis, b: TreatmentBasis): boolean {
  return (
    a.rules === b.rules &&
    a.types === b.types &&
    a.pseudonyms === b.pseudonyms &&
    a.characterSet === b.characterSet &&
    a.birthDateTellable === b.birthDateTellable &&
    a.bigEndian === b.bigEndian &&
    a.implicitVr === b.implicitVr &&
    a.contentMode === b.contentMode
  );
}

/** @param isLasting whether other instances have this very element */
export function createRecollection(
  treated: TreatedElements,
  isLasting: (element: DataElement) => boolean,
  tally: Tally,
  { isIdentifier, isPatients, noteUtf8 }: Omit<Answers, "dependOnOthers">,
): Recollection {
  let asked: Question[] = [];
  let isForeign = false;
  let isAlone = true;
  const answers: Answers = {
    isIdentifier(text) {
      const answer = isIdentifier(text);
      asked.push({ about: "isIdentifier", text, answer });
      return answer;
    },
    isPatients(text) {
      const answer = isPatients(text);
      asked.push({ about: "isPatients", text, answer });
      return answer;
    },
    noteUtf8() {
      isForeign = true;
      noteUtf8();
    },
    dependOnOthers() {
      isAlone = false;
    },
  };
  const isAnsweredSo = ({ about, text, answer }: Question): boolean =>
    (about === "isIdentifier" ? isIdentifier(text) : isPatients(text)) === answer;
  return {
    answers,
    recall(element, kept) {
      const known = treated.get(element);
      if (known?.asked.every(isAnsweredSo) !== true) return false;
      if (known.isForeign) noteUtf8();
      if (known.output !== undefined) kept.set(element.tag, known.output);
      tally.repeat(known.deeds);
      return true;
    },
    treat(element, kept, work) {
      asked = [];
      isForeign = false;
      isAlone = true;
      const deeds = tally.during(work);
      if (deeds === undefined || !isAlone || asked.length > QUESTIONS_LIMIT || !isLasting(element)) return;
      treated.set(element, { output: kept.get(element.tag), deeds, asked, isForeign });
    },
  };
}
