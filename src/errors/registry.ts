import type { ErrorEntry } from "./error-class.ts";

/** Every code the gateway can report. `docs/errors.md` is generated from this table. Sorted by code within a subject. */
export const errorRegistry = {
  // associations and DIMSE
  ASSOCIATION_ABORTED: {
    class: "transient",
    summary: "The peer ended the association before it was released.",
    remedy: "None at first: it is retried. If it persists, lower the archive's concurrency.",
  },
  ASSOCIATION_REJECTED: {
    class: "permanent",
    summary: "The peer refused the association for good.",
    remedy: "Ask the peer's administrator to register our AE title, address and port.",
  },
  ASSOCIATION_REJECTED_TRANSIENT: {
    class: "transient",
    summary: "The peer refused the association for now: it is busy or at its limit.",
    remedy: "None at first: it is retried. If it persists, lower the archive's concurrency.",
  },
  CANCELLED: {
    class: "permanent",
    summary: "The work was cancelled.",
    remedy: "Retry it if it is wanted after all.",
  },
  CONNECTION_FAILED: {
    class: "transient",
    summary: "No connection to the peer could be made.",
    remedy: "Check that the peer runs and that address, port and firewall are right; it is retried.",
  },
  DIMSE_FAILED: {
    class: "permanent",
    summary: "The peer answered a DIMSE request with a failure status.",
    remedy: "Look the status up in the peer's conformance statement and in its log of the same minute.",
  },
  DIMSE_PROTOCOL_VIOLATION: {
    class: "permanent",
    summary: "The peer sent something the DICOM protocol does not allow here.",
    remedy: "Check that the port is a DICOM port; else report it to the peer's vendor with the log of the same minute.",
  },
  DIMSE_REFUSED_OUT_OF_RESOURCES: {
    class: "transient",
    summary: "The peer refused a DIMSE request for lack of resources.",
    remedy: "None at first: it is retried. If it persists, check the peer's disk and lower the concurrency.",
  },
  INTERNAL: {
    class: "permanent",
    summary: "The gateway met a case it was not written for.",
    remedy: "Report it with the log of the same minute.",
  },
  NO_PRESENTATION_CONTEXT: {
    class: "permanent",
    summary: "The peer accepted no presentation context for this SOP class and transfer syntax.",
    remedy: "Enable the SOP class and transfer syntax at the peer, or send the object in another transfer syntax.",
  },
  TIMED_OUT: {
    class: "transient",
    summary: "The peer did not answer in time.",
    remedy: "None at first: it is retried. If it persists, ask the peer's administrator.",
  },

  // de-identification
  BURNED_IN_ANNOTATION: {
    class: "permanent",
    summary: "The image may show a patient's identity in its pixels: it is not let out.",
    remedy: "Leave such series out, or have the archive mark images that were reviewed with Burned In Annotation NO.",
  },
  COMPRESSED_PIXEL_METADATA: {
    class: "permanent",
    summary: "Compressed pixel data holds comments, metadata or bytes that cannot be checked.",
    remedy: "Ask the archive for the image uncompressed, or leave the series out.",
  },
  DEIDENTIFICATION_UNPROVEN: {
    class: "permanent",
    summary: "The de-identified file did not pass its own check: it is not let out.",
    remedy: "Report it with the rule that the reason names; the original stays in staging.",
  },
  IDENTIFIER_FOUND: {
    class: "permanent",
    summary: "An identifier of the patient was still found in the de-identified file: it is not let out.",
    remedy: "Look at the tag that the reason names; leave the series out, or add a rule to the project's profile.",
  },
  INSTANCE_NOT_PARSABLE: {
    class: "permanent",
    summary: "The file is not a DICOM object that could be read to its end.",
    remedy: "Retrieve the study again; if it persists, ask the archive's administrator to check the object.",
  },
  KEY_FILE_EXISTS: {
    class: "permanent",
    summary: "There is a file where the new key should go.",
    remedy: "Choose another path. A key in use must not be overwritten: its pseudonyms could not be made again.",
  },
  KEY_FILE_MALFORMED: {
    class: "permanent",
    summary: "The project's key file does not hold 64 hexadecimal characters and a line feed.",
    remedy: "Restore the key from its backup; for a new project run `radferry project new-key FILE`.",
  },
  KEY_FILE_MISSING: {
    class: "permanent",
    summary: "The project's key file cannot be opened.",
    remedy: "Check keyFile and the owner of the file; for a new project run `radferry project new-key FILE`.",
  },
  KEY_FILE_READABLE_BY_OTHERS: {
    class: "permanent",
    summary: "Other users of this machine can read the project's key file.",
    remedy: "Run `chmod 600` on it, and consider a new key if it was exposed before anything was delivered.",
  },
  PARTICIPANT_ID_INVALID: {
    class: "permanent",
    summary: "The participant id cannot become a pseudonym.",
    remedy: "Use 1 to 64 letters, digits, hyphens and underscores, beginning with a letter or a digit.",
  },
  PIXEL_DATA_INCONSISTENT: {
    class: "permanent",
    summary: "Pixel data is shorter than its rows, columns and frames say, or cannot be measured by them.",
    remedy: "Retrieve the study again; if it persists, leave the series out.",
  },
  PROFILE_UNKNOWN: {
    class: "permanent",
    summary: "There is no de-identification profile of this name.",
    remedy: "Use `basic` or `research`.",
  },
  SOP_CLASS_NOT_ALLOWED: {
    class: "permanent",
    summary: "Objects of this kind are not let out by the profile: their pixels or content may name the patient.",
    remedy: "Leave such series out with the project's filters.",
  },
  // DICOM objects
  DICOM_LIMIT_EXCEEDED: {
    class: "permanent",
    summary: "A DICOM object asks for more depth, elements or memory than a reader will give.",
    remedy: "Look at the object with radferry dicom dump; a sound object of that size needs higher limits.",
  },
  DICOM_MALFORMED: {
    class: "permanent",
    summary: "A DICOM object breaks the encoding rules.",
    remedy: "Look at the object with radferry dicom dump, and ask its source to send it again.",
  },
  DICOM_TRUNCATED: {
    class: "permanent",
    summary: "A DICOM object ends in the middle.",
    remedy: "Ask its source to send it again.",
  },
  NOT_DICOM: {
    class: "permanent",
    summary: "This is no DICOM object.",
    remedy: "Check what was given: a Part 10 file, or a data set of a known transfer syntax.",
  },
  // jobs and archives
  AMBIGUOUS_PATIENT: {
    class: "permanent",
    summary: "The accession number leads to more than one patient.",
    remedy: "Give the patient ID in the row, or the Study Instance UID.",
  },
  ARCHIVE_OUT_OF_RESOURCES: {
    class: "transient",
    summary: "The archive is out of resources.",
    remedy: "None at first: it is retried. If it persists, lower the archive's associations.",
  },
  ARCHIVE_REFUSED_REQUEST: {
    class: "permanent",
    summary: "The archive refused the request as not allowed or not understood.",
    remedy: "Ask the archive's administrator to allow our AE title study root C-FIND and C-MOVE or C-GET.",
  },
  ARCHIVE_UNABLE: {
    class: "transient",
    summary: "The archive said that it was unable to carry the request out.",
    remedy: "None at first: it is retried. If it persists, ask the archive's administrator for the log of that time.",
  },
  ARCHIVE_UNKNOWN: {
    class: "permanent",
    summary: "No archive of that name is configured here.",
    remedy: "Check the name against radferry archive list.",
  },
  CLOCK_WRONG: {
    class: "permanent",
    summary: "This machine's clock cannot be right.",
    remedy: "Set the clock and keep it by NTP.",
  },
  COMPLETENESS_UNKNOWN: {
    class: "permanent",
    summary: "The archive would not say what the study holds, so completeness cannot be shown.",
    remedy:
      "Deliver it as it is by setting the project's partial to deliver, or ask the archive for image-level queries.",
  },
  FOLDER_NOT_WRITABLE: {
    class: "permanent",
    summary: "A folder that the gateway needs cannot be written.",
    remedy: "Give the gateway's user write access to it, or name another folder.",
  },
  HOME_IN_USE: {
    class: "permanent",
    summary: "Another Radferry works on this home already.",
    remedy: "Use the running one, or name another home.",
  },
  INSTANCES_MISSING: {
    class: "transient",
    summary: "The archive listed instances that it did not send.",
    remedy:
      "None at first: the missing ones are asked for again. If it persists, ask the archive's administrator whether they can be read there.",
  },
  LEASE_LOST: {
    class: "transient",
    summary: "The job was cancelled or taken over while it ran.",
    remedy: "None: whoever holds it now goes on.",
  },
  LISTENER_ON_LOOPBACK: {
    class: "permanent",
    summary: "Our DICOM listener is bound to loopback, where a remote archive cannot send to.",
    remedy: "Set dicom.host to this machine's address, or to 0.0.0.0.",
  },
  MOVE_DESTINATION_UNKNOWN: {
    class: "permanent",
    summary: "The archive does not know our AE title as a move destination.",
    remedy: "Send the archive's administrator the line that radferry doctor prints.",
  },
  NOTHING_LEFT_BY_FILTERS: {
    class: "permanent",
    summary: "The project's filters leave nothing of the study.",
    remedy: "None if that is intended; else look at the filters.",
  },
  NOTHING_RECEIVED: {
    class: "permanent",
    summary: "The archive found the study but sent nothing of it.",
    remedy: "Check that the archive can send to our AE title, with radferry doctor, and retry.",
  },
  PATIENT_OPTED_OUT: {
    class: "permanent",
    summary: "The patient opted out of research.",
    remedy: "None: the study is neither asked for nor delivered.",
  },
  PROJECT_UNKNOWN: {
    class: "permanent",
    summary: "No project of that name is configured.",
    remedy: "Check the name against radferry project list.",
  },
  QUERY_KEY_MALFORMED: {
    class: "permanent",
    summary: "A query key is not of the form Keyword=value.",
    remedy: "Write keys as Keyword=value, such as StudyDate=20260101-20260131.",
  },
  QUERY_KEY_UNKNOWN: {
    class: "permanent",
    summary: "A query key is no keyword of the DICOM dictionary.",
    remedy: "Use keywords such as PatientID, StudyDate or AccessionNumber.",
  },
  SERIES_NOT_FOUND: {
    class: "permanent",
    summary: "The study is there, but none of the series that were asked for.",
    remedy: "Check the row's series_instance_uids, or leave them empty for the whole study.",
  },
  STUDY_NOT_FOUND: {
    class: "permanent",
    summary: "No archive of the project has the study.",
    remedy: "Check the identifiers of the row, and whether the project's archives hold such studies.",
  },
  TOO_MANY_STUDIES: {
    class: "permanent",
    summary: "The identifiers match more studies than one request may bring.",
    remedy: "Narrow the row down, or raise the project's maximumStudiesPerRequest.",
  },

  // store
  COHORT_NOT_FOUND: {
    class: "permanent",
    summary: "There is no cohort of this id.",
    remedy: "Check the id against radferry cohort list.",
  },
  JOB_NOT_FOUND: {
    class: "permanent",
    summary: "There is no study job of this id.",
    remedy:
      "Check the id against radferry study list. A job whose study turned out to be another job's was joined to that one.",
  },
  STORE_DAMAGED: {
    class: "permanent",
    summary: "The store's database file is damaged.",
    remedy: "Stop the gateway, keep a copy of the file, check the disk, and restore the database from its backup.",
  },
  STORE_FULL: {
    class: "transient",
    summary: "The store cannot write: the disk that holds it is full.",
    remedy: "Free space on the disk of the gateway's home; work goes on by itself.",
  },
  STORE_NOT_OURS: {
    class: "permanent",
    summary: "The file that should be the store is not a database of Radferry.",
    remedy: "Check home in the settings; move the file away if it does not belong there.",
  },
  STORE_SCHEMA_NEWER: {
    class: "permanent",
    summary: "The store was written by a newer version of Radferry.",
    remedy: "Use that version or a later one, or restore the database from before the update.",
  },
  STORE_UNAVAILABLE: {
    class: "transient",
    summary: "The store cannot be read or written at the moment.",
    remedy:
      "Check that the gateway's home exists, belongs to the gateway's user and is on a disk that works; it is retried.",
  },

  // command line
  FILE_NOT_WRITABLE: {
    class: "permanent",
    summary: "The file cannot be written.",
    remedy: "Name a file in a folder that exists, that you may write to, and that has room.",
  },
  FILE_UNREADABLE: {
    class: "permanent",
    summary: "A file cannot be read.",
    remedy: "Check its path and that you may read it.",
  },
  NO_FILES_FOUND: {
    class: "permanent",
    summary: "There are no files at the paths that were given.",
    remedy: "Name files, or folders that hold some.",
  },
  USAGE_INVALID: {
    class: "permanent",
    summary: "The command line cannot be understood.",
    remedy: "Add --help to the verb to see its arguments, options and examples.",
  },

  // settings
  SETTING_DUPLICATE: {
    class: "permanent",
    summary: "Something in the settings is there twice that must be there once.",
    remedy: "Remove one of the two, or give it a name, path or key of its own.",
  },
  SETTING_INVALID: {
    class: "permanent",
    summary: "A setting has a value that it cannot have.",
    remedy: "Write what the message asks for; `radferry config sample` shows an example.",
  },
  SETTING_MISSING: {
    class: "permanent",
    summary: "A setting that is needed is missing.",
    remedy: "Add it; `radferry config sample` shows an example.",
  },
  SETTING_NOT_SUPPORTED: {
    class: "permanent",
    summary: "This version of Radferry knows the setting but cannot do what it asks for.",
    remedy: "Remove it, or use a version that can.",
  },
  SETTING_REFERENCE_UNKNOWN: {
    class: "permanent",
    summary: "A setting names something that is not configured.",
    remedy: "Correct the name, or configure what it names.",
  },
  SETTING_UNKNOWN: {
    class: "permanent",
    summary: "There is no setting of this name.",
    remedy: "Correct the name or remove it; `radferry config schema` lists every setting.",
  },
  SETTINGS_FILE_MALFORMED: {
    class: "permanent",
    summary: "The settings file is not valid YAML.",
    remedy: "Correct the line that the details name: look at its indentation, colons and quotes.",
  },
  SETTINGS_FILE_MISSING: {
    class: "permanent",
    summary: "The settings file cannot be read.",
    remedy: "Name it with -c FILE or RADFERRY_CONFIG; `radferry config sample` prints one to begin with.",
  },
  SETTINGS_INVALID: {
    class: "permanent",
    summary: "The settings have problems.",
    remedy: "Run `radferry config check` and correct what it lists.",
  },

  // cohort files
  COHORT_NO_KEY_COLUMN: {
    class: "permanent",
    summary: "The cohort file has no column that says which studies are wanted.",
    remedy: "Name a column study_instance_uid or accession_number in the first line.",
  },
  COHORT_UNREADABLE: {
    class: "permanent",
    summary: "The cohort file cannot be read as a table.",
    remedy: "Save it as CSV in UTF-8 with column names in the first line, each recognised column once.",
  },
  KEY_DAMAGED_BY_SPREADSHEET: {
    class: "permanent",
    summary: "The value looks changed by a spreadsheet: scientific notation, an error, a formula or quotes.",
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
    remedy: "Check the project's optOut paths; the lists are CSV in UTF-8 with patient ids as text.",
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
  UID_INVALID: {
    class: "permanent",
    summary: "The value is not a UID of digits and dots, at most 64 characters long.",
    remedy: "Check that the UID is complete and in the right column.",
  },
  // staging
  INSTANCE_MISMATCH: {
    class: "permanent",
    summary: "An instance is not the one it was announced as, or its UIDs are none.",
    remedy: "Ask the archive's administrator to check the study; the object's own UIDs must be those of the request.",
  },
  INSTANCE_UNREADABLE: {
    class: "permanent",
    summary: "An instance arrived that is not readable DICOM.",
    remedy: "Ask the archive's administrator to check the study; what it sent cannot be read.",
  },
  INSTANCE_UNSOLICITED: {
    class: "permanent",
    summary: "An instance arrived that nobody had asked for; it was refused.",
    remedy: "Check what sends to our DICOM port.",
  },
  STAGING_FULL: {
    class: "transient",
    summary: "The staging disk is full or below its reserve; retrieval pauses.",
    remedy: "Free space, or lower staging.reserveGigabytes; retrieval goes on by itself.",
  },
  STAGING_UNAVAILABLE: {
    class: "transient",
    summary: "The staging folder cannot be read or written at the moment.",
    remedy: "Check that staging.path exists, belongs to the gateway's user and is on a disk that works; it is retried.",
  },
  // delivery
  DELIVERY_CONFLICT: {
    class: "permanent",
    summary: "Under the name of an instance lies a file that the gateway did not deliver; it is left as it is.",
    remedy: "Move the file that the details name out of the way, or deliver to another folder; then retry.",
  },
  DELIVERY_INTERRUPTED: {
    class: "ambiguous",
    summary: "The association with the destination broke while studies were sent.",
    remedy: "None at first: the destination is asked what it holds before anything is sent again.",
  },
  DELIVERY_REFUSED: {
    class: "permanent",
    summary: "The destination refused an instance for good.",
    remedy: "Ask the destination's administrator why; then retry the study.",
  },
  DELIVERY_REFUSED_FOR_NOW: {
    class: "transient",
    summary: "The destination is out of resources.",
    remedy: "None at first: it is retried. If it persists, look at the destination's disk.",
  },
  DELIVERY_UNCONFIRMED: {
    class: "ambiguous",
    summary: "The destination took the study but does not list all of it.",
    remedy:
      "None at first: the destination is read again before anything is sent twice. If it persists, look at the destination's own log.",
  },
  DESTINATION_FULL: {
    class: "transient",
    summary: "The destination has no room left.",
    remedy: "Free space at the destination; delivery goes on by itself.",
  },
  DESTINATION_NOT_WRITABLE: {
    class: "permanent",
    summary: "The destination's folder cannot be written.",
    remedy: "Give the gateway's user write access to it, then retry.",
  },
  DESTINATION_UNAVAILABLE: {
    class: "transient",
    summary: "The destination's folder cannot be read or written at the moment.",
    remedy: "Check that its disk or network share is mounted and works; it is retried.",
  },
} as const satisfies Record<string, ErrorEntry>;

export type ErrorCode = keyof typeof errorRegistry;
