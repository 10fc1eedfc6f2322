import type { ErrorEntry } from "../error-class.ts";

/** Codes of the FLIP face: its envelopes, its data-access API, and imports that XNAT is asked for, sorted. */
export const flipCodes = {
  FLIP_ACCESSION_AMBIGUOUS: {
    class: "permanent",
    summary: "The PACS holds several studies under one accession number; none of them was taken.",
    remedy: "Have the PACS's administrator correct the accession number of the wrong study, and retry.",
  },
  FLIP_ACCESSION_NOT_FOUND: {
    class: "permanent",
    summary: "The PACS holds no study under exactly this accession number.",
    remedy: "Check that the cohort's accession numbers are those of this PACS, letter case included.",
  },
  FLIP_ACCESSION_UNSAFE: {
    class: "permanent",
    summary: "An accession number has characters that may be in no XNAT address.",
    remedy: "None here: only letters, digits and . _ ~ - are taken. Correct the accession number at its source.",
  },
  FLIP_ACCESSIONS_INVALID: {
    class: "permanent",
    summary: "The data-access API answered something other than a list of accession numbers.",
    remedy: "Check DATA_ACCESS_API_URL, and that the data-access API is of a version that serves accession-ids.",
  },
  FLIP_ALREADY_EXISTS: {
    class: "permanent",
    summary: "XNAT has something under this name already.",
    remedy: "Choose another name, or use what is there.",
  },
  FLIP_COHORT_REFUSED: {
    class: "permanent",
    summary: "The data-access API does not release the cohort's accession numbers.",
    remedy:
      "Read the reason in the status answer: the cohort is below the trust's minimum size, or no snapshot is approved.",
  },
  FLIP_DOWNLOAD_INVALID: {
    class: "permanent",
    summary: "A download was asked for, or came, that would be written outside its folder or is no zip file.",
    remedy: "Check the net id of the request; if it is right, report the archive file to XNAT's administrator.",
  },
  FLIP_ENVELOPE_KEY_UNKNOWN: {
    class: "permanent",
    summary: "An encrypted value names a key that is not configured here.",
    remedy: "Add the key under its id to AES_TRUST_KEYS.",
  },
  FLIP_ENVELOPE_MALFORMED: {
    class: "permanent",
    summary: "A value that must be an encryption envelope is none, or of another version.",
    remedy: "Have the sender use the current format of the FLIP platform; the older unauthenticated one is refused.",
  },
  FLIP_ENVELOPE_UNAUTHENTIC: {
    class: "permanent",
    summary: "An encrypted value failed authentication: altered, of another key, or meant for another purpose.",
    remedy: "Check that AES_KEY_BASE64 is the key of the sender.",
  },
  FLIP_FILE_NOT_FOUND: {
    class: "permanent",
    summary: "A file that is to be uploaded is not in the net's folder for uploads.",
    remedy: "Check the names, and that the folder below BASE_IMAGES_DOWNLOAD_DIR is the one that the net writes to.",
  },
  FLIP_IMPORT_DROPPED: {
    class: "permanent",
    summary: "XNAT queued fewer studies than it was asked for and did not say why; what it queued is kept.",
    remedy: "Look whether the PACS lists series for the study: XNAT leaves out studies without any.",
  },
  FLIP_IMPORT_FAILED: {
    class: "permanent",
    summary: "XNAT could not import the study.",
    remedy: "Read the reason beside it in radferry flip status, mend it, and retry.",
  },
  FLIP_IMPORT_STALLED: {
    class: "permanent",
    summary: "XNAT has said nothing more of the study for longer than an import may take.",
    remedy: "Look into XNAT's prearchive and its DQR history; radferry flip retry asks for the study again.",
  },
  FLIP_IMPORT_UNSETTLED: {
    class: "ambiguous",
    summary: "XNAT was asked for an import and its answer was lost: it may still be putting studies into its queue.",
    remedy: "None: its queue is looked at in a while, and what is missing there is asked for.",
  },
  FLIP_NOT_CONFIGURED: {
    class: "permanent",
    summary: "This gateway is not set up for FLIP.",
    remedy: "Set compat.flip, or give the service FLIP's environment names, as docs/flip.md says.",
  },
  FLIP_PACS_UNAVAILABLE: {
    class: "transient",
    summary: "XNAT cannot reach its PACS now, or the PACS is disabled there.",
    remedy: "None at first: it is retried. If it persists, check the PACS registration in XNAT.",
  },
  FLIP_PATH_UNSAFE: {
    class: "permanent",
    summary: "A net or a file has a name that leads out of its folder.",
    remedy: "None here: nothing was sent. Name files by their place below the net's folder for uploads.",
  },
  FLIP_PORT_IN_USE: {
    class: "permanent",
    summary:
      "The imaging API cannot be opened: another program has the port, the address is not this machine's, or a port below 1024 is not for our user.",
    remedy:
      "Look at the cause. EADDRINUSE: stop the other program. EACCES: give the service CAP_NET_BIND_SERVICE, or take a port from 1024 on with --port. EADDRNOTAVAIL: name another --host.",
  },
  FLIP_PROJECT_NOT_FOUND: {
    class: "permanent",
    summary: "XNAT has no such project, or does not show it to our user.",
    remedy: "Check the project id, and that the service user may read the project.",
  },
  FLIP_REQUEST_REFUSED: {
    class: "permanent",
    summary: "A request was answered with an error in the form of the FLIP imaging API.",
    remedy: "Read status and detail: they are those of the original.",
  },
  FLIP_STORAGE_FAILED: {
    class: "transient",
    summary: "A file could not be written below the folder for images.",
    remedy: "Check BASE_IMAGES_DOWNLOAD_DIR: that it is mounted, writable and has room.",
  },
  FLIP_STUDY_BUSY: {
    class: "transient",
    summary: "XNAT is importing the study for another project now: asked for twice, it could end in either.",
    remedy: "None: it is asked for when the other import has ended.",
  },
} as const satisfies Record<string, ErrorEntry>;
