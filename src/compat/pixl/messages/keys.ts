import { checkKey, splitSeries } from "../../../cohort/identifiers.ts";
import { GatewayError } from "../../../errors/gateway-error.ts";
import { MESSAGE_FIELDS, type Message } from "./message.ts";

/** What archives are asked for. */
export interface MessageKeys {
  readonly mrn: string;
  readonly accessionNumber: string;
  /** Undefined: the message has none. */
  readonly studyInstanceUid: string | undefined;
  /** Empty: the whole study. */
  readonly seriesInstanceUids: readonly string[];
}

/**
 * The keys of a message, blanks around them taken off. A study is named by its UID, or by MRN and accession number together.
 * @throws GatewayError PIXL_MESSAGE_KEYS_BLANK, or PIXL_MESSAGE_KEY_UNSAFE naming field and reason
 */
export function checkKeys(message: Message): MessageKeys {
  const [mrn, accessionNumber, studyUid] = [
    message.mrn.trim(),
    message.accessionNumber.trim(),
    message.studyUid.trim(),
  ];
  if (studyUid === "" && (mrn === "" || accessionNumber === "")) throw new GatewayError("PIXL_MESSAGE_KEYS_BLANK");
  if (message.projectName.trim() === "") throw unsafe("projectName", "blank");
  const series = splitSeries(message.seriesUid);
  check("mrn", "patient-id", [mrn]);
  check("accessionNumber", "accession-number", [accessionNumber]);
  check("studyUid", "study-uid", [studyUid]);
  check("seriesUid", "series-uid", series);
  return {
    mrn,
    accessionNumber,
    studyInstanceUid: studyUid === "" ? undefined : studyUid,
    seriesInstanceUids: series,
  };
}

function check(field: keyof Message, kind: Parameters<typeof checkKey>[0], values: readonly string[]): void {
  const problem = values
    .filter((value) => value !== "")
    .map((value) => checkKey(kind, value))
    .find(Boolean);
  if (problem !== undefined) throw unsafe(field, problem);
}

function unsafe(field: keyof Message, reason: string): GatewayError {
  return new GatewayError("PIXL_MESSAGE_KEY_UNSAFE", { field: MESSAGE_FIELDS[field], reason });
}
