import type { ErrorCode } from "../errors/registry.ts";
import { parsePseudonym } from "../staging/deidentified-file.ts";
import type { NewRequest } from "../store/records.ts";
import type { KnownColumn, KnownPlace } from "./columns.ts";
import { checkKey, type KeyKind, splitSeries, trimIdentifier } from "./identifiers.ts";
import type { TableRow } from "./table-file.ts";

/** What the project demands of a row. */
export interface RowRules {
  readonly project: string;
  readonly accessionNumbersUnique: boolean;
  /** Patient ids that are never asked for. */
  readonly optOut: ReadonlySet<string>;
  /** Whether the patient was withdrawn from the project. */
  readonly isWithdrawn?: ((patientId: string) => boolean) | undefined;
}

interface RowFinding {
  readonly column: KnownColumn;
  readonly code: ErrorCode;
}

/** The request a row makes, or what is wrong with it; every finding, in the order of the checks. */
export type CheckedRow =
  | { readonly ok: true; readonly request: Omit<NewRequest, "rowNumber" | "cells"> }
  | { readonly ok: false; readonly findings: readonly [RowFinding, ...RowFinding[]] };

/** Rows that name no priority are neither hurried nor held back. */
const USUAL_PRIORITY = 3;
const PRIORITY = /^[1-5]$/;

const KEY_COLUMNS = [
  ["study_instance_uid", "study-uid"],
  ["accession_number", "accession-number"],
  ["patient_id", "patient-id"],
] as const satisfies readonly (readonly [KnownColumn, KeyKind])[];

const IDENTIFIER_COLUMNS = [
  ...KEY_COLUMNS.map(([column]) => column),
  "series_instance_uids",
  "participant_id",
] as const satisfies readonly KnownColumn[];

export function checkRow(
  { cells, doubtful }: Omit<TableRow, "number">,
  places: ReadonlyMap<KnownColumn, KnownPlace>,
  rules: RowRules,
): CheckedRow {
  const value = (column: KnownColumn): string | undefined => {
    const place = places.get(column);
    return place === undefined ? undefined : trimIdentifier(cells[place.index] ?? "") || undefined;
  };
  const damaged = checkDoubtful(doubtful, places);
  const findings = [
    ...checkKeys(value),
    ...checkSeries(value),
    ...checkPresence(value, places, rules),
    ...checkOthers(value, places, rules),
  ];
  // What else may be said of a cell says nothing of what was typed there.
  const [first, ...others] = [
    ...damaged,
    ...findings.filter(({ column }) => !damaged.some((known) => known.column === column)),
  ];
  if (first !== undefined) return { ok: false, findings: [first, ...others] };
  const series = splitSeries(value("series_instance_uids") ?? "");
  return {
    ok: true,
    request: {
      studyInstanceUid: value("study_instance_uid"),
      accessionNumber: value("accession_number"),
      patientId: value("patient_id"),
      seriesInstanceUids: series.length === 0 ? undefined : series,
      participantId: value("participant_id"),
      priority: Number(value("priority") ?? USUAL_PRIORITY),
    },
  };
}

/** What a workbook holds as something else than the text of an identifier. */
function checkDoubtful(
  doubtful: ReadonlySet<number> | undefined,
  places: ReadonlyMap<KnownColumn, KnownPlace>,
): readonly RowFinding[] {
  return IDENTIFIER_COLUMNS.filter((column) => doubtful?.has(places.get(column)?.index ?? -1)).map((column) => ({
    column,
    code: "KEY_DAMAGED_BY_SPREADSHEET",
  }));
}

type Value = (column: KnownColumn) => string | undefined;

function* checkKeys(value: Value): Generator<RowFinding> {
  for (const [column, kind] of KEY_COLUMNS) {
    const text = value(column);
    const code = text === undefined ? undefined : checkKey(kind, text);
    if (code !== undefined) yield { column, code };
  }
}

/** The backslash separates series and is no wildcard here. */
function* checkSeries(value: Value): Generator<RowFinding> {
  const text = value("series_instance_uids");
  if (text === undefined) return;
  const column = "series_instance_uids";
  const series = splitSeries(text);
  if (series.length === 0) yield { column, code: "UID_INVALID" };
  const code = series.map((uid) => checkKey("series-uid", uid)).find((found) => found !== undefined);
  if (code !== undefined) yield { column, code };
}

function* checkPresence(
  value: Value,
  places: ReadonlyMap<KnownColumn, KnownPlace>,
  rules: RowRules,
): Generator<RowFinding> {
  if (value("study_instance_uid") !== undefined) return;
  if (value("accession_number") === undefined) {
    yield { column: places.has("study_instance_uid") ? "study_instance_uid" : "accession_number", code: "KEY_MISSING" };
  } else if (!rules.accessionNumbersUnique && value("patient_id") === undefined) {
    yield { column: "patient_id", code: "PATIENT_ID_NEEDED" };
  }
}

function* checkOthers(
  value: Value,
  places: ReadonlyMap<KnownColumn, KnownPlace>,
  rules: RowRules,
): Generator<RowFinding> {
  if (places.has("project") && value("project") !== rules.project) yield { column: "project", code: "PROJECT_DIFFERS" };
  if (!PRIORITY.test(value("priority") ?? "1")) yield { column: "priority", code: "PRIORITY_INVALID" };
  const participant = value("participant_id");
  if (participant !== undefined && !isPseudonym(participant)) {
    yield { column: "participant_id", code: "PARTICIPANT_ID_INVALID" };
  }
  const patient = value("patient_id");
  if (patient !== undefined && rules.optOut.has(patient)) yield { column: "patient_id", code: "PATIENT_OPTED_OUT" };
  if (patient !== undefined && rules.isWithdrawn?.(patient)) yield { column: "patient_id", code: "PATIENT_WITHDRAWN" };
}

function isPseudonym(text: string): boolean {
  try {
    return parsePseudonym(text) !== "";
  } catch {
    return false;
  }
}
