import { GatewayError } from "../errors/gateway-error.ts";
import { numericText } from "./json-numbers.ts";
import { joinNameGroups } from "./person-name.ts";
import { isSingleValued, type Vr } from "./vr.ts";

/** The values of a text VR as one text, backslashes between them. @throws GatewayError DICOM_JSON_INVALID */
export function textOfValues(values: readonly unknown[], vr: Vr, path: string): string {
  if (isSingleValued(vr) && values.length > 1) throw invalid(path, "more values than the VR may have");
  const texts = values.map((value, index) => {
    const text = value === null ? "" : textOfValue(value, vr);
    // It would be read as two values. PS3.18 F.2.4.
    if (text === undefined || (text.includes("\\") && !isSingleValued(vr))) throw invalid(`${path}/${index}`, "value");
    return text;
  });
  return texts.join("\\");
}

function textOfValue(value: unknown, vr: Vr): string | undefined {
  if (vr === "DS" || vr === "IS") return numericText(value, vr);
  if (typeof value === "string") return value;
  return vr === "PN" ? nameOf(value) : undefined;
}

/** Undefined when it is no name, or a delimiter in a group would move what is behind it. PS3.18 F.2.2. */
function nameOf(value: unknown): string | undefined {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return undefined;
  const groups: Readonly<Record<string, unknown>> = { Alphabetic: "", Ideographic: "", Phonetic: "", ...value };
  const { Alphabetic: alphabetic, Ideographic: ideographic, Phonetic: phonetic } = groups;
  const isText = typeof alphabetic === "string" && typeof ideographic === "string" && typeof phonetic === "string";
  if (!isText || alphabetic.includes("=") || ideographic.includes("=")) return undefined;
  return joinNameGroups({ alphabetic, ideographic, phonetic });
}

function invalid(path: string, what: string): GatewayError {
  return new GatewayError("DICOM_JSON_INVALID", { path, what });
}
