import { storageSopClasses } from "../dicom/dictionary/sop-classes.ts";
import { tags } from "../dicom/dictionary/tags.ts";
import { DEFINED_TERMS } from "./tables/defined-terms.generated.ts";

/** What an original is, in words of the standard alone: what else stands in the object is nobody's to tell. */
export interface InstanceKind {
  /** Keyword of PS3.6 table A-1; empty: a private class, or none of the standard's. */
  readonly sopClass: string;
  /** Defined term of PS3.3 C.7.3.1.1.1; empty: none of them. */
  readonly modality: string;
}

const KEYWORDS: ReadonlyMap<string, string> = new Map(
  Object.entries(storageSopClasses).map(([keyword, uid]) => [uid, keyword]),
);
const MODALITIES: ReadonlySet<string> = new Set(
  DEFINED_TERMS[tags.Modality.toString(16).padStart(8, "0").toUpperCase()]?.split("\\"),
);

export function kindOfInstance(of: { readonly sopClassUid: string; readonly modality: string }): InstanceKind {
  return {
    sopClass: KEYWORDS.get(of.sopClassUid) ?? "",
    modality: MODALITIES.has(of.modality) ? of.modality : "",
  };
}
