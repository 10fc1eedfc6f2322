import type { ErrorEntry } from "../error-class.ts";

/** Codes of the PIXL face: its messages, its queues, its database, and the driver, sorted. */
export const pixlCodes = {
  PIXL_AE_TITLE_DIFFERS: {
    class: "permanent",
    summary: "An Orthanc has another AE title than the environment says.",
    remedy: "Set ORTHANC_RAW_AE_TITLE and ORTHANC_ANON_AE_TITLE to what the Orthancs are configured with.",
  },
  PIXL_API_REFUSED: {
    class: "permanent",
    summary: "The imaging API answered a rate with something other than 200.",
    remedy:
      "Check that PIXL_IMAGING_API_HOST and _PORT are those of an imaging API, and that the rate is not negative.",
  },
  PIXL_BACKLOG_FULL: {
    class: "transient",
    summary: "So many messages wait that no more are taken by HTTP.",
    remedy: "Send them again when some are worked off; look whether the rate is 0, or an archive is down.",
  },
  PIXL_BROKER_REFUSED: {
    class: "permanent",
    summary: "The message broker refuses us: wrong user or password, or a queue declared otherwise.",
    remedy:
      "Check RABBITMQ_USERNAME and RABBITMQ_PASSWORD, and that nobody declared PIXL's queues with other arguments.",
  },
  PIXL_BROKER_UNAVAILABLE: {
    class: "transient",
    summary: "The message broker cannot be reached, or did not confirm in time.",
    remedy:
      "None at first: it is retried. If it persists, check RABBITMQ_HOST and RABBITMQ_PORT, and the broker's log.",
  },
  PIXL_DATABASE_BEHIND: {
    class: "permanent",
    summary: "The database is behind the revision that PIXL's programs need.",
    remedy: "Migrate it with radferry pixl db upgrade, or at start with SKIP_ALEMBIC=false.",
  },
  PIXL_DATABASE_REFUSED: {
    class: "permanent",
    summary: "The database refused a statement: nothing of its transaction was kept.",
    remedy: "Read the SQLSTATE in the details; check the user's rights on the schema pixl_pipeline.",
  },
  PIXL_DATABASE_REVISION_UNKNOWN: {
    class: "permanent",
    summary: "The database is at a revision that is not known here.",
    remedy: "It was migrated by a newer PIXL: leave it to that with SKIP_ALEMBIC=true, or downgrade it there first.",
  },
  PIXL_DATABASE_UNAVAILABLE: {
    class: "transient",
    summary: "PIXL's database cannot be reached.",
    remedy: "Check PIXL_DB_HOST, PIXL_DB_PORT, the user and the password, and that PostgreSQL runs.",
  },
  PIXL_EXPORT_REFUSED: {
    class: "permanent",
    summary: "The export API answered with something other than 200.",
    remedy:
      "Read its log; check PIXL_EXPORT_API_HOST and _PORT, and that the project has a destination for Parquet files.",
  },
  PIXL_EXTRACT_EMPTY: {
    class: "permanent",
    summary: "No row of the extract names a study.",
    remedy: "A row needs a study UID or an accession number: look at the file's columns.",
  },
  PIXL_EXTRACT_INVALID: {
    class: "permanent",
    summary: "The extract cannot be read as PIXL's.",
    remedy: "Mend the column or row that the details name: columns and forms are those of PIXL's CSV extracts.",
  },
  PIXL_MESSAGE_CLASS_UNKNOWN: {
    class: "permanent",
    summary: "A message is a pickled object of another class than PIXL's Message.",
    remedy: "Have its producer send core.patient_queue.message.Message, or plain JSON.",
  },
  PIXL_MESSAGE_FIELD_INVALID: {
    class: "permanent",
    summary: "A field of a message has a value of the wrong kind.",
    remedy: "Correct the row in the extract: NaN stands for a cell that was blank or NA.",
  },
  PIXL_MESSAGE_FIELD_MISSING: {
    class: "permanent",
    summary: "A message lacks a field.",
    remedy: "Have its producer send mrn, accession_number, study_uid and project_name; the other fields may be absent.",
  },
  PIXL_MESSAGE_HOSTILE: {
    class: "permanent",
    summary: "A message would have Python run code; it was read as data and parked.",
    remedy: "Find out who publishes to the queue: PIXL never sends this form. Nothing of it was run here.",
  },
  PIXL_MESSAGE_KEYS_BLANK: {
    class: "permanent",
    summary: "A message names no study: neither a study UID nor an MRN with an accession number.",
    remedy: "Fill in the row in the extract, and submit it again.",
  },
  PIXL_MESSAGE_KEY_UNSAFE: {
    class: "permanent",
    summary: "A key of a message may not be asked for: a wildcard, a control character, too long, or no UID.",
    remedy: "Correct the row in the extract, and submit it again.",
  },
  PIXL_MESSAGE_NOT_JSON: {
    class: "permanent",
    summary: "A message is not JSON.",
    remedy: "Have its producer send PIXL's messages, in jsonpickle's form or as plain JSON.",
  },
  PIXL_MESSAGE_NOT_OBJECT: {
    class: "permanent",
    summary: "A message is JSON, but no object.",
    remedy: "Have its producer send one message at a time, as an object.",
  },
  PIXL_MESSAGE_TOO_LARGE: {
    class: "permanent",
    summary: "A message is longer or nested deeper than any that PIXL sends.",
    remedy: "Ask for fewer series in one message.",
  },
  PIXL_OUT_OF_HOURS: {
    class: "transient",
    summary: "Not querying secondary archive during the daytime or on the weekend.",
    remedy:
      "None: the message waits for the archive's next window. RADFERRY_PIXL_SECONDARY_WINDOWS changes the windows.",
  },
  PIXL_PORT_IN_USE: {
    class: "permanent",
    summary:
      "The imaging API cannot be opened: another program has the port, the address is not this machine's, or a port below 1024 is not for our user.",
    remedy:
      "Look at the cause. EADDRINUSE: stop the other program. EACCES: give the service CAP_NET_BIND_SERVICE, or take a port from 1024 on with --port. EADDRNOTAVAIL: name another --host.",
  },
  PIXL_RATE_REFUSED: {
    class: "permanent",
    summary: "A negative rate was asked for.",
    remedy: "Send a number from 0; 0 pauses.",
  },
  PIXL_SECONDARY_IS_PRIMARY: {
    class: "permanent",
    summary:
      "Failed to find study of this message in primary archive and SECONDARY_DICOM_SOURCE_AE_TITLE is the same as PRIMARY_DICOM_SOURCE_AE_TITLE.",
    remedy: "Check the keys of the row in the extract; name a second archive if there is one.",
  },
  PIXL_STUDY_NOT_FOUND: {
    class: "permanent",
    summary: "Failed to find study of this message in primary or secondary archive.",
    remedy: "Check the keys of the row in the extract.",
  },
  PIXL_STUDY_NOT_IN_PRIMARY: {
    class: "permanent",
    summary: "Failed to find study of this message in primary archive, sending message to secondary imaging queue.",
    remedy: "None: the secondary archive is asked.",
  },
  PIXL_TOKEN_REFUSED: {
    class: "permanent",
    summary: "Messages came by HTTP from another machine without the right token.",
    remedy:
      "Send the token of RADFERRY_API_TOKEN_FILE as a bearer token; without that file only this machine may send.",
  },
} as const satisfies Record<string, ErrorEntry>;
