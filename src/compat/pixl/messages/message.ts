/**
 * One wanted study, or some series of it, as PIXL's queues carry it. Texts are as they were sent; what is absent is empty.
 * Where PIXL has Python's date or datetime, this has ISO 8601.
 */
export interface Message {
  /** The DICOM PatientID. */
  readonly mrn: string;
  readonly accessionNumber: string;
  /** Empty: the study is looked for by `mrn` and `accessionNumber`. */
  readonly studyUid: string;
  /** Empty: the whole study. Several are separated by a backslash. */
  readonly seriesUid: string;
  /** `YYYY-MM-DD`. */
  readonly studyDate: string;
  /** Undefined: the producer has none. */
  readonly procedureOccurrenceId: number | string | undefined;
  /** The project's slug. */
  readonly projectName: string;
  /** `YYYY-MM-DDTHH:MM:SS[.ffffff][±HH:MM][[Area/City]]`; without an offset it is local time of the producer. */
  readonly extractGeneratedTimestamp: string;
}

/** PIXL's names of the fields, in its order. */
export const MESSAGE_FIELDS = {
  mrn: "mrn",
  accessionNumber: "accession_number",
  studyUid: "study_uid",
  seriesUid: "series_uid",
  studyDate: "study_date",
  procedureOccurrenceId: "procedure_occurrence_id",
  projectName: "project_name",
  extractGeneratedTimestamp: "extract_generated_timestamp",
} as const satisfies Record<keyof Message, string>;

/** The class that jsonpickle names in what PIXL publishes. */
export const MESSAGE_CLASS = "core.patient_queue.message.Message";
