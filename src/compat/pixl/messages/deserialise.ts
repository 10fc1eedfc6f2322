import { GatewayError } from "../../../errors/gateway-error.ts";
import { MESSAGE_CLASS, MESSAGE_FIELDS, type Message } from "./message.ts";
import { isoOf, type PythonMoment, readMoment } from "./python-dates.ts";
import { isJsonObject, type JsonObject, NOT_A_NUMBER, parsePythonJson } from "./python-json.ts";

/**
 * Reads a message in either form: jsonpickle's, decoded as data and never evaluated, or plain JSON with PIXL's field names.
 * Unknown fields are passed over. Whether its keys may be asked for is `checkKeys`'s matter.
 * @throws GatewayError PIXL_MESSAGE_NOT_JSON, PIXL_MESSAGE_TOO_LARGE, PIXL_MESSAGE_NOT_OBJECT, PIXL_MESSAGE_CLASS_UNKNOWN,
 *   PIXL_MESSAGE_HOSTILE, PIXL_MESSAGE_FIELD_MISSING, PIXL_MESSAGE_FIELD_INVALID (the last two name the field)
 */
export function deserialise(bytes: Uint8Array): Message {
  return messageOf(parsePythonJson(bytes));
}

/** Of parsed JSON. @throws as `deserialise` */
export function messageOf(json: unknown): Message {
  if (!isJsonObject(json)) throw new GatewayError("PIXL_MESSAGE_NOT_OBJECT", { found: kindOf(json) });
  refuseCode(json);
  if (json["py/object"] !== undefined && json["py/object"] !== MESSAGE_CLASS) {
    throw new GatewayError("PIXL_MESSAGE_CLASS_UNKNOWN");
  }
  const studyDate = momentIn(json, "studyDate");
  return {
    mrn: textIn(json, "mrn"),
    accessionNumber: textIn(json, "accessionNumber"),
    // An extract in Parquet has null for a study without UID.
    studyUid: json[MESSAGE_FIELDS.studyUid] === null ? "" : textIn(json, "studyUid"),
    seriesUid: seriesIn(json),
    studyDate: writtenMoment(studyDate),
    procedureOccurrenceId: procedureIn(json),
    projectName: textIn(json, "projectName"),
    extractGeneratedTimestamp: writtenMoment(momentIn(json, "extractGeneratedTimestamp", studyDate)),
  };
}

function textIn(json: JsonObject, field: keyof Message): string {
  const name = MESSAGE_FIELDS[field];
  const value = json[name];
  if (value === undefined) throw new GatewayError("PIXL_MESSAGE_FIELD_MISSING", { field: name });
  if (typeof value !== "string") throw invalid(field, value);
  return value;
}

/** Producers from before June 2025 do not send it. */
function seriesIn(json: JsonObject): string {
  const value = json[MESSAGE_FIELDS.seriesUid] ?? "";
  if (typeof value !== "string") throw invalid("seriesUid", value);
  return value;
}

/** Nothing depends on it here, so nothing is refused for it. */
function procedureIn(json: JsonObject): number | string | undefined {
  const value = json[MESSAGE_FIELDS.procedureOccurrenceId];
  return typeof value === "number" || typeof value === "string" ? value : undefined;
}

/** A text stays a text, as in PIXL; absent is empty. */
function momentIn(json: JsonObject, field: keyof Message, earlier?: PythonMoment | string): PythonMoment | string {
  const value = json[MESSAGE_FIELDS[field]] ?? "";
  if (typeof value === "string") return value;
  const moment = readMoment(value, typeof earlier === "string" ? undefined : earlier);
  if (moment === undefined) throw invalid(field, value);
  return moment;
}

function writtenMoment(moment: PythonMoment | string): string {
  return typeof moment === "string" ? moment : isoOf(moment);
}

function invalid(field: keyof Message, value: unknown): GatewayError {
  return new GatewayError("PIXL_MESSAGE_FIELD_INVALID", { field: MESSAGE_FIELDS[field], found: kindOf(value) });
}

function kindOf(value: unknown): string {
  if (value === NOT_A_NUMBER || Number.isNaN(value)) return "NaN";
  if (value === null) return "null";
  if (Array.isArray(value)) return "list";
  return typeof value;
}

/** jsonpickle's forms that hold data; every other one has its reader import or call something. */
const DATA_FORMS: ReadonlySet<string> = new Set(["py/b64", "py/b85", "py/id", "py/set", "py/tuple"]);
const FORM = /^(?:py|json)\//;

/** A message is refused as a whole when any part of it, an unknown field too, would have jsonpickle run or import code. */
function refuseCode(json: JsonObject): void {
  const { "py/object": className, ...others } = json;
  refuseForms(typeof className === "string" ? others : json);
}

function refuseForms(value: unknown): void {
  if (Array.isArray(value)) {
    for (const each of value) refuseForms(each);
    return;
  }
  // Dates have forms of their own; their zone may refer to that of an earlier one.
  if (!isJsonObject(value) || readMoment(value, ANY_MOMENT) !== undefined) return;
  for (const [name, each] of Object.entries(value)) {
    if ((FORM.test(name) && !DATA_FORMS.has(name)) || name === "__reduce__") {
      throw new GatewayError("PIXL_MESSAGE_HOSTILE", { form: name.slice(0, LONGEST_FORM) });
    }
    refuseForms(each);
  }
}

const LONGEST_FORM = 32;
const ANY_MOMENT: PythonMoment = { local: "2000-01-01T00:00:00", zone: { offsetSeconds: 0 } };
