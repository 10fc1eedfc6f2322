import { lookupElement } from "../../dicom/dictionary/dictionary.ts";
import { tags } from "../../dicom/dictionary/tags.ts";
import type { JsonAttribute, JsonDataSet } from "../../dicom/json.ts";
import { formatDicomJson } from "../../dicom/json-format.ts";
import { formatTagHex, type Tag, tagOf } from "../../dicom/tag.ts";
import type { Vr } from "../../dicom/vr.ts";

/** What became of one instance of a request to store. UIDs are undefined where they could not be read. */
export type StoredOrNot =
  | { readonly kind: "stored"; readonly sopClassUid: string; readonly sopInstanceUid: string }
  | {
      readonly kind: "failed";
      readonly sopClassUid: string | undefined;
      readonly sopInstanceUid: string | undefined;
      /** Failure Reason, as the status of a C-STORE. PS3.18 I.2.2. */
      readonly status: number;
      /** For the sender to read. */
      readonly reason: string | undefined;
    };

export type StoreResponseType = "application/dicom+json" | "application/dicom+xml";

/** All stored, some, none. PS3.18 table 10.5.3-1. */
export function storeStatus(instances: readonly StoredOrNot[]): 200 | 202 | 409 {
  const stored = instances.filter(({ kind }) => kind === "stored").length;
  if (stored === 0) return 409;
  return stored === instances.length ? 200 : 202;
}

/** JSON unless only XML is asked for: some clients ask for what they cannot read. PS3.18 8.7.4. */
export function storeResponseType(accept: string | undefined): StoreResponseType {
  const types = (accept ?? "").toLowerCase();
  return /\bdicom\+xml\b/.test(types) && !types.includes("json") ? "application/dicom+xml" : "application/dicom+json";
}

/** The Store Instances Response Module. PS3.18 table I.1-1. */
export function storeResponse(instances: readonly StoredOrNot[], type: StoreResponseType): string {
  const json = moduleOf(instances);
  return type === "application/dicom+json" ? formatDicomJson(json) : nativeXml(json);
}

/** Of the command group, as others use it in answers too: what people read. PS3.7 9.1.1.1.9. */
const ERROR_COMMENT = tagOf(0x0000_0902);

function moduleOf(instances: readonly StoredOrNot[]): JsonDataSet {
  const stored: JsonDataSet[] = [];
  const failed: JsonDataSet[] = [];
  const others: JsonDataSet[] = [];
  for (const one of instances) {
    const reference =
      one.sopInstanceUid === undefined
        ? []
        : [
            attribute(tags.ReferencedSOPClassUID, "UI", one.sopClassUid ?? ""),
            attribute(tags.ReferencedSOPInstanceUID, "UI", one.sopInstanceUid),
          ];
    if (one.kind === "stored") stored.push(Object.fromEntries([...reference, attribute(tags.RetrieveURL, "UR")]));
    else {
      const told = one.reason === undefined ? [] : [attribute(ERROR_COMMENT, "LO", one.reason)];
      const item = Object.fromEntries([...told, ...reference, attribute(tags.FailureReason, "US", one.status)]);
      (one.sopInstanceUid === undefined ? others : failed).push(item);
    }
  }
  return Object.fromEntries([
    attribute(tags.RetrieveURL, "UR"),
    ...(failed.length === 0 ? [] : [attribute(tags.FailedSOPSequence, "SQ", ...failed)]),
    ...(stored.length === 0 ? [] : [attribute(tags.ReferencedSOPSequence, "SQ", ...stored)]),
    ...(others.length === 0 ? [] : [attribute(tags.OtherFailuresSequence, "SQ", ...others)]),
  ]);
}

function attribute(tag: Tag, vr: Vr, ...values: readonly unknown[]): readonly [string, JsonAttribute] {
  return [formatTagHex(tag), values.length === 0 ? { vr } : { vr, Value: values }];
}

/** The Native DICOM Model. PS3.19 A.1. */
function nativeXml(json: JsonDataSet): string {
  const xmlns = "http://dicom.nema.org/PS3.19/models/NativeDICOM";
  return `<?xml version="1.0" encoding="UTF-8"?>\n<NativeDicomModel xmlns="${xmlns}">${attributesXml(json)}</NativeDicomModel>\n`;
}

/** Two levels are all that there are. */
function attributesXml(json: object): string {
  const attributes = Object.entries(json).sort(([a], [b]) => (a < b ? -1 : 1));
  return attributes
    .map(([tag, { vr, Value: values = [] }]: [string, JsonAttribute]) => {
      const keyword = lookupElement(tagOf(Number.parseInt(tag, 16)))?.keyword ?? "ErrorComment";
      const content = values.map((value, index) =>
        typeof value === "object" && value !== null
          ? `<Item number="${index + 1}">${attributesXml(value)}</Item>`
          : `<Value number="${index + 1}">${escaped(String(value))}</Value>`,
      );
      return `<DicomAttribute tag="${tag}" vr="${vr}" keyword="${keyword}">${content.join("")}</DicomAttribute>`;
    })
    .join("");
}

function escaped(text: string): string {
  return text.replaceAll(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}
