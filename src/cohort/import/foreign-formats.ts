import { comparable } from "../columns.ts";
import { PIXL_COLUMNS, pixlCell, slugOf } from "../pixl-extract.ts";
import type { Table } from "../table-file.ts";

/** Lists of other systems. */
export const FOREIGN_FORMATS = ["adit-xlsx", "dqr-csv", "pixl-csv"] as const;
export type ForeignFormat = (typeof FOREIGN_FORMATS)[number];

/** Columns of a cohort that a list can be turned into. */
export type ImportedColumn =
  | "study_instance_uid"
  | "series_instance_uids"
  | "accession_number"
  | "patient_id"
  | "participant_id"
  | "project";

export interface FormatRules {
  /** Column of theirs by ours; names compare without case, blanks and underscores. */
  readonly columns: Readonly<Partial<Record<ImportedColumn, string>>>;
  /** All of these, and one of each group. */
  readonly needed: readonly (readonly string[])[];
  /** Rows without a value here cannot be used. */
  readonly required: readonly ImportedColumn[];
  /** What narrows a search and is of no use beside a key. */
  readonly searching: readonly string[];
  /** Rows of one study are one request, for the series of all of them; one row without a series asks for all. */
  readonly joinsStudies: boolean;
  readonly clean: (cell: string) => string;
  /** A value as this column has it with us. */
  readonly valueIn?: Readonly<Partial<Record<ImportedColumn, (cell: string) => string>>>;
}

const asItIs = (cell: string): string => cell;

/** As each system reads its own lists: ADIT's batch transfer, XNAT's Using DQR: Bulk Querying and Importing via CSV File, PIXL's extracts. */
export const FORMAT_RULES: Readonly<Record<ForeignFormat, FormatRules>> = {
  "adit-xlsx": {
    columns: {
      study_instance_uid: "StudyInstanceUID",
      series_instance_uids: "SeriesInstanceUID",
      patient_id: "PatientID",
      participant_id: "Pseudonym",
    },
    needed: [["PatientID"], ["StudyInstanceUID"]],
    required: ["patient_id", "study_instance_uid"],
    searching: [],
    joinsStudies: true,
    clean: asItIs,
  },
  "dqr-csv": {
    columns: { accession_number: "Accession Number", patient_id: "Patient ID", participant_id: "Subject" },
    needed: [["Accession Number"]],
    required: ["accession_number"],
    searching: ["Study Date", "Patient Name", "Last Name", "First Name", "DOB", "Modality", "Session"],
    joinsStudies: false,
    clean: asItIs,
  },
  "pixl-csv": {
    columns: {
      study_instance_uid: "study_uid",
      accession_number: "accession_number",
      patient_id: "mrn",
      participant_id: "pseudo_patient_id",
      project: "project_name",
    },
    needed: PIXL_COLUMNS.map((name) => [name]),
    required: [],
    searching: [],
    joinsStudies: false,
    clean: pixlCell,
    valueIn: { project: slugOf },
  },
};

/** Where a column of the list is; undefined: it has none of this name. */
export function placeIn({ columns }: Table, name: string): number | undefined {
  const place = columns.findIndex((each) => comparable(each) === comparable(name));
  return place < 0 ? undefined : place;
}
