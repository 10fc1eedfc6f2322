import type { ErrorEntry } from "../error-class.ts";

/** Codes of XNAT, of its query/retrieve plugin (DQR), and of files that are put into it, sorted. */
export const xnatCodes = {
  XNAT_ANSWER_UNEXPECTED: {
    class: "permanent",
    summary: "The XNAT answered with something of another shape than its interface promises.",
    remedy:
      "Check the URL and the versions of XNAT and of its plugins; else report it with the log of the same minute.",
  },
  XNAT_CLOCK_DIFFERS: {
    class: "permanent",
    summary: "The XNAT's clock and ours differ by more than a minute.",
    remedy: "Set both by a time server: XNAT keeps imports apart by their time.",
  },
  XNAT_DQR_FORBIDDEN: {
    class: "permanent",
    summary: "Our user may not use the XNAT's query and retrieval (DQR).",
    remedy: "Give the user the role Dqr, or allow all users to use DQR in the plugin's settings.",
  },
  XNAT_DQR_MISSING: {
    class: "permanent",
    summary: "The XNAT has no plugin for query and retrieval (DQR).",
    remedy: "Have the plugin installed, or use another kind of archive.",
  },
  XNAT_FILE_EXISTS: {
    class: "permanent",
    summary: "The XNAT holds another file under this name, and it may not be replaced.",
    remedy: "Allow it to be replaced, or choose another resource or name.",
  },
  XNAT_FILE_MISSING: {
    class: "permanent",
    summary: "A file that is to be uploaded is not there, or is no regular file.",
    remedy: "Check its name, and that it lies below the upload folder.",
  },
  XNAT_FILE_NOT_WRITTEN: {
    class: "permanent",
    summary: "The XNAT took a file, answered that all is well, and does not list it.",
    remedy: "Give our user the right to edit sessions of the project: without it XNAT answers so.",
  },
  XNAT_FILE_UNCONFIRMED: {
    class: "ambiguous",
    summary: "The XNAT lists an uploaded file with another size or digest.",
    remedy: "None at first: it is uploaded again. If it persists, look for what changes files on the XNAT's side.",
  },
  XNAT_IMPORT_FAILED: {
    class: "transient",
    summary: "The XNAT gave up an import from the archive behind it.",
    remedy:
      "None at first: it is asked for again. If it persists, read the request's error in the DQR history of the XNAT.",
  },
  XNAT_IMPORT_PENDING: {
    class: "transient",
    summary: "The XNAT has queued the import and is not done with it.",
    remedy: "None: the same request is waited for. If it persists, check the opening hours of the PACS in the XNAT.",
  },
  XNAT_IMPORT_REFUSED: {
    class: "permanent",
    summary: "The XNAT did not queue the import: the archive behind it lists no series of the study.",
    remedy: "Check at the archive that the study has series, and that DQR's user sees them.",
  },
  XNAT_LOGIN_REFUSED: {
    class: "permanent",
    summary: "The XNAT does not accept our user and password.",
    remedy:
      "Check both. With the right password: the account may be locked after 20 failures within an hour, disabled, or lack its row in the XNAT's table of user authentications.",
  },
  XNAT_NAME_UNSAFE: {
    class: "permanent",
    summary:
      "A project, session, scan, resource or file has a name that cannot be part of an address, or leads out of its folder.",
    remedy: "Use letters, digits and . _ ~ - in names, and paths that stay below their folder.",
  },
  XNAT_PACS_CLOSED: {
    class: "permanent",
    summary: "The PACS has no opening hours in the XNAT: nothing that is queued will ever be fetched.",
    remedy: "Enter its availability under the XNAT's PACS settings, with threads and utilisation above 0.",
  },
  XNAT_PACS_MISSING: {
    class: "permanent",
    summary: "The XNAT knows no PACS of this id that can be queried.",
    remedy: "Register the PACS in the XNAT, or correct its id in the settings.",
  },
  XNAT_PACS_SILENT: {
    class: "transient",
    summary: "The XNAT cannot reach the PACS behind it.",
    remedy: "None at first. If it persists, check address and AE title of the PACS in the XNAT.",
  },
  XNAT_PROJECT_MISSING: {
    class: "permanent",
    summary: "The XNAT has no such project, or does not show it to our user.",
    remedy: "Check the project's id, and that our user is at least a member of it.",
  },
  XNAT_PROJECT_NOT_ENABLED: {
    class: "permanent",
    summary: "The project may not import by DQR.",
    remedy: "Enable DQR in the project's settings, or allow all projects to use it in the plugin's settings.",
  },
  XNAT_RECEIVER_MISSING: {
    class: "permanent",
    summary: "No enabled DICOM receiver of the XNAT has the AE title and port that imports name.",
    remedy: "Correct the receiver in our settings, or enable it in the XNAT; both AE title and port must be equal.",
  },
  XNAT_RECEIVER_UNSUITABLE: {
    class: "permanent",
    summary: "The XNAT's DICOM receiver cannot route what DQR imports.",
    remedy: "Set its identifier to dqrObjectIdentifier and switch custom processing on.",
  },
  XNAT_SCAN_MISSING: {
    class: "permanent",
    summary: "The session has no such scan.",
    remedy: "Check the scan's id.",
  },
  XNAT_SESSION_EMPTY: {
    class: "permanent",
    summary: "The XNAT holds an empty shell: its catalogue names files that are not on its disk.",
    remedy: "Refresh the session's catalogue or delete the session, then retry; the details name its id.",
  },
  XNAT_SESSION_IN_PREARCHIVE: {
    class: "permanent",
    summary: "The session is stuck in the XNAT's prearchive.",
    remedy:
      "Look at it in the prearchive, where its status and log say why; archive, rebuild or delete it, then retry.",
  },
  XNAT_SESSION_MISSING: {
    class: "permanent",
    summary: "The project has no session of this label.",
    remedy: "Check the accession number or label, and whether the session is still in the prearchive.",
  },
  XNAT_SESSION_TAKEN: {
    class: "permanent",
    summary: "Under the label of the session lies another study, or one that may not be added to.",
    remedy: "Move or rename the session that the details name, or let deliveries append to sessions; then retry.",
  },
} as const satisfies Record<string, ErrorEntry>;
