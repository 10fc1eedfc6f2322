import { InvalidArgumentError, Option } from "commander";
import { type AeTitle, type DicomAddress, parseAeTitle, parseDicomAddress } from "../dicom/ae-title.ts";
import { transferSyntaxUidOf } from "../dicom/dictionary/uid-names.ts";
import { isFieldUid } from "../dicom/uid.ts";
import { type ErrorCode, isErrorCode } from "../errors/registry.ts";
import type { InformationModel, QueryRetrieveLevel } from "../network/dimse/service-types.ts";
import type { CodecOption } from "./verbs/deid-run-options.ts";

/** How texts of the command line become values; what cannot is wrong usage (exit code 2). */

export function addressArgument(text: string): DicomAddress {
  try {
    return parseDicomAddress(text);
  } catch {
    throw new InvalidArgumentError("Write it as AET@host:port.");
  }
}

export function aeTitleOption(text: string): AeTitle {
  try {
    return parseAeTitle(text);
  } catch {
    throw new InvalidArgumentError("An AE title has 1 to 16 characters and no backslash.");
  }
}

/** `KEYWORD,UID=PROGRAM`: transfer syntaxes and what decodes them. */
export function codecOption(text: string, earlier: readonly CodecOption[] = []): readonly CodecOption[] {
  const [, syntaxes = "", program = ""] = /^([^=]+)=(.+)$/.exec(text) ?? [];
  const transferSyntaxUids = syntaxes.split(",").flatMap((syntax) => transferSyntaxUidOf(syntax) ?? []);
  if (program === "" || transferSyntaxUids.length !== syntaxes.split(",").length) {
    throw new InvalidArgumentError("Write transfer syntaxes by keyword or UID, an equals sign and the program's path.");
  }
  return [...earlier, { transferSyntaxUids, program }];
}

export function portOption(text: string): number {
  return wholeNumber(text, 0, 65_535, "A port is a whole number from 0 to 65535; 0 takes any free one.");
}

export function countOption(text: string): number {
  return wholeNumber(text, 1, 1_000_000_000, "Write a whole number from 1.");
}

/** Maximum length that is received, PS3.8 D.1. The limits are ours: shorter PDUs are mostly overhead, longer ones take memory and win nothing. */
export function pduLengthOption(text: string): number {
  return wholeNumber(text, 4_096, 1_048_576, "Write a number of bytes from 4096 to 1048576.");
}

export function aeTitlesOption(text: string, earlier: readonly AeTitle[] = []): readonly AeTitle[] {
  return [...earlier, aeTitleOption(text)];
}

export function secondsOption(text: string): number {
  const seconds = /^\d{1,6}(?:\.\d{1,3})?$/.test(text) ? Number(text) : Number.NaN;
  if (!(seconds > 0)) throw new InvalidArgumentError("Write a number of seconds above 0.");
  return seconds;
}

export function uidOption(text: string): string {
  if (!isFieldUid(text)) throw new InvalidArgumentError("A UID has up to 64 digits and dots.");
  return text;
}

export function errorCodeOption(text: string): ErrorCode {
  const code = text.toUpperCase();
  if (!isErrorCode(code)) throw new InvalidArgumentError("The codes are in docs/errors.md.");
  return code;
}

/** 5 first. */
export function priorityArgument(text: string): number {
  return wholeNumber(text, 1, 5, "A priority is a whole number from 1 to 5; 5 goes first.");
}

/** ISO 8601 with its offset, so that no two machines read it differently; in milliseconds. */
export function instantOption(text: string): number {
  const isWhole = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(?::\d{2}(?:\.\d{1,3})?)?(?:Z|[+-]\d{2}:\d{2})$/.test(text);
  const atMs = isWhole ? Date.parse(text) : Number.NaN;
  if (Number.isNaN(atMs)) throw new InvalidArgumentError("Write it as 2026-11-30T20:00:00+01:00, or with Z for UTC.");
  return atMs;
}

/** For options that may be given several times. */
export function collect(text: string, earlier: readonly string[] = []): readonly string[] {
  return [...earlier, text];
}

function wholeNumber(text: string, least: number, most: number, otherwise: string): number {
  const number = /^\d{1,10}$/.test(text) ? Number(text) : Number.NaN;
  if (!(number >= least && number <= most)) throw new InvalidArgumentError(otherwise);
  return number;
}

/** Levels of the study root model. PS3.4 C.6.2. */
const LEVELS = ["STUDY", "SERIES", "IMAGE"] as const;
export type Level = (typeof LEVELS)[number];

export function levelOption(description: string): Option {
  return new Option("--level <level>", description).choices(LEVELS).default("STUDY");
}

/** Levels of the patient root model. PS3.4 C.6.1. */
const PATIENT_ROOT_LEVELS = ["PATIENT", ...LEVELS] as const satisfies readonly QueryRetrieveLevel[];

export function anyLevelOption(description: string): Option {
  return new Option("--level <level>", description).choices(PATIENT_ROOT_LEVELS).default("STUDY");
}

const MODELS = ["patient-root", "study-root"] as const satisfies readonly InformationModel[];

export function modelOption(): Option {
  const description = "information model; study-root, but patient-root at level PATIENT, which only that has";
  return new Option("--model <model>", description).choices(MODELS);
}

/** More answers than a person can want; the listing says so when it ends there. */
const USUAL_MAXIMUM_ANSWERS = 100_000;

export function maximumOption(): Option {
  return new Option("--max <n>", "stop after so many answers").argParser(countOption).default(USUAL_MAXIMUM_ANSWERS);
}
