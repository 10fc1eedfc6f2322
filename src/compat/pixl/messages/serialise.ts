import { MESSAGE_CLASS, MESSAGE_FIELDS, type Message } from "./message.ts";
import { isoOf, momentOf, pickledMoment } from "./python-dates.ts";
import { writePythonJson } from "./python-json.ts";

/**
 * The bytes PIXL itself makes of a message.
 * @param options.deserialisable true (as in PIXL): jsonpickle's form, which its consumers read; false: plain JSON with ISO dates
 */
export function serialise(message: Message, options: { readonly deserialisable?: boolean } = {}): Buffer {
  const { deserialisable = true } = options;
  const date = deserialisable ? pickledText : plainText;
  const fields = {
    [MESSAGE_FIELDS.mrn]: message.mrn,
    [MESSAGE_FIELDS.accessionNumber]: message.accessionNumber,
    [MESSAGE_FIELDS.studyUid]: message.studyUid,
    [MESSAGE_FIELDS.seriesUid]: message.seriesUid,
    [MESSAGE_FIELDS.studyDate]: date(message.studyDate),
    [MESSAGE_FIELDS.procedureOccurrenceId]: message.procedureOccurrenceId ?? null,
    [MESSAGE_FIELDS.projectName]: message.projectName,
    [MESSAGE_FIELDS.extractGeneratedTimestamp]: date(message.extractGeneratedTimestamp),
  };
  const json = deserialisable ? { "py/object": MESSAGE_CLASS, ...fields } : fields;
  return Buffer.from(writePythonJson(json), "ascii");
}

function pickledText(text: string): unknown {
  const moment = momentOf(text);
  return moment === undefined ? text : pickledMoment(moment);
}

/** As Python's `isoformat`, which names no zone. */
function plainText(text: string): string {
  const moment = momentOf(text);
  return moment === undefined ? text : isoOf(moment).replace(/\[.*\]$/, "");
}
