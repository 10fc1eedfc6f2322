import type { ErrorEntry } from "../error-class.ts";

/** Codes of cohort files, sorted. */
export const cohortsCodes = {
  COHORT_FILE_MISSING: {
    class: "permanent",
    summary: "The list is not there, or may not be read.",
    remedy: "Check its path, which counts from the folder that the command runs in, and who may read it.",
  },
  COHORT_NO_KEY_COLUMN: {
    class: "permanent",
    summary: "The cohort file has no column that says which studies are wanted.",
    remedy: "Name a column study_instance_uid or accession_number in the first line.",
  },
  COHORT_NOT_LINKABLE: {
    class: "permanent",
    summary: "The cohort does not say which OMOP procedures its rows are for.",
    remedy: "Submit it with a column procedure_id of whole numbers, as PIXL's extracts have it.",
  },
  COHORT_UNREADABLE: {
    class: "permanent",
    summary: "The cohort file cannot be read as a table.",
    remedy:
      "Save it as CSV in UTF-8 with column names in the first line, each recognised column once; or name the folder of an OMOP extract, whole, with public/omop, private and extract_summary.json.",
  },
  EVIDENCE_KEY_UNUSABLE: {
    class: "permanent",
    summary: "The key that evidence is signed or checked with cannot be used.",
    remedy:
      "Give a PEM file with a key of Ed25519; the one that signs is keys/evidence.pem of the home, readable by its owner alone, and is made when there is none.",
  },
  EVIDENCE_UNREADABLE: {
    class: "permanent",
    summary: "The evidence file cannot be read.",
    remedy: "Check that it is there and readable.",
  },
  IMPORT_COLUMNS_MISSING: {
    class: "permanent",
    summary: "The list has not the columns that lists of this system have.",
    remedy: "Check --from; the columns that are missing are named in the details. See docs/importing.md.",
  },
  IMPORT_ROWS_DIFFER: {
    class: "permanent",
    summary: "Another row of the same study says something else here.",
    remedy: "Rows of one study need the same patient and the same pseudonym.",
  },
  IMPORT_ROW_IS_SEARCH: {
    class: "permanent",
    summary: "The row searches by other things than an accession number: it names no study.",
    remedy: "Search for such studies with `radferry cohort search`, and hand in what it finds.",
  },
  INQUIRIES_EXHAUSTED: {
    class: "transient",
    summary: "As many plans, checks and searches are under way as may be at once.",
    remedy: "Wait until one has ended, or cancel one: archives and destinations are asked beside the work itself.",
  },
  INQUIRY_NOT_FOUND: {
    class: "permanent",
    summary: "There is no plan or check of this name, or it is no longer kept.",
    remedy: "Ask again: what a plan or a check found is kept in memory for an hour, and not beyond a restart.",
  },
  KEY_DAMAGED_BY_SPREADSHEET: {
    class: "permanent",
    summary:
      "The value looks changed by a spreadsheet: a date, a fraction (12345678.0), scientific notation, more than 15 digits, an error, a formula or quotes.",
    remedy: "Export the list again with this column as text; do not correct it by hand.",
  },
  KEY_HAS_CONTROL_CHARACTER: {
    class: "permanent",
    summary: "The value holds a line break or another invisible character.",
    remedy: "Remove the invisible characters from the cell.",
  },
  KEY_HAS_WILDCARD: {
    class: "permanent",
    summary: "The value holds a wildcard: * ? or a backslash.",
    remedy: "Write the whole identifier; patterns are not allowed in cohorts.",
  },
  KEY_MISSING: {
    class: "permanent",
    summary: "The row does not say which study is wanted.",
    remedy: "Fill in the study instance UID or the accession number.",
  },
  KEY_TOO_LONG: {
    class: "permanent",
    summary: "The value is longer than DICOM allows for this identifier.",
    remedy: "Check that the value is in the right column and complete.",
  },
  OPT_OUT_UNREADABLE: {
    class: "permanent",
    summary: "A list of opted-out patients cannot be read, so nothing may be asked for.",
    remedy:
      "Check the project's optOut paths; the lists are CSV in UTF-8 with one column of patient ids as text, and quotes around a cell that holds a comma.",
  },
  PATIENT_ID_NEEDED: {
    class: "permanent",
    summary: "The accession number alone does not identify a study in this project.",
    remedy: "Fill in patient_id beside it, or give the study instance UID.",
  },
  PRIORITY_INVALID: {
    class: "permanent",
    summary: "The priority is not a whole number from 1 to 5.",
    remedy: "Write 1 to 5, 5 first, or leave the cell empty.",
  },
  PROJECT_DIFFERS: {
    class: "permanent",
    summary: "The row is for another project than the one it was submitted for.",
    remedy: "Submit the row for its own project, or correct the project column.",
  },
  ROW_MALFORMED: {
    class: "permanent",
    summary: "The row has more or fewer cells than there are columns.",
    remedy: "Check the row's quotes and separators.",
  },
  SEARCH_NOT_KEPT: {
    class: "permanent",
    summary: "The search has not ended, or kept nothing of what it found.",
    remedy: "Wait for its end; search again without counting only.",
  },
  SEARCH_QUERY_INVALID: {
    class: "permanent",
    summary: "A query of the search cannot be asked.",
    remedy: "The problem says what is wrong with it: a date, a pattern, a column.",
  },
  SEARCH_TOO_BROAD: {
    class: "permanent",
    summary: "A query would ask the archive for everything it has.",
    remedy:
      "Name a patient, dates, a modality or a description; or say that all is meant and how many studies at most.",
  },
  SEARCH_TOO_LONG: {
    class: "permanent",
    summary: "The search would ask the archive more questions than a search may.",
    remedy: "Search a shorter range of dates, or for less at once.",
  },
  STANDING_NAME_TAKEN: {
    class: "permanent",
    summary: "There is a standing cohort of this name already.",
    remedy: "Choose another name, or remove the other one first: what it brought stays.",
  },
  STANDING_NOT_FOUND: {
    class: "permanent",
    summary: "There is no standing cohort of this name.",
    remedy: "radferry cohort standing list shows all.",
  },
  STANDING_SEARCH_GREW: {
    class: "permanent",
    summary: "The search of a standing cohort finds more studies than it may, so nothing of this run was submitted.",
    remedy: "Narrow the search, or add it anew with a larger --max.",
  },
  STANDING_TIMETABLE_INVALID: {
    class: "permanent",
    summary: "A timetable cannot be read.",
    remedy: "Write times as Mon-Fri 02:00, Sun 14:30 or 02:00, and the time zone as Europe/London.",
  },
  STANDING_TOO_MANY: {
    class: "permanent",
    summary: "There are as many standing cohorts as there may be.",
    remedy: "Remove what is not needed any more, or put several searches into one by a file of queries.",
  },
  UID_INVALID: {
    class: "permanent",
    summary: "The value is not a UID of digits and dots, at most 64 characters long.",
    remedy: "Check that the UID is complete and in the right column.",
  },
} as const satisfies Record<string, ErrorEntry>;
