import type { ErrorEntry } from "../error-class.ts";

/** Codes of study jobs, archives and the gateway itself, sorted. */
export const jobsCodes = {
  AMBIGUOUS_PATIENT: {
    class: "permanent",
    summary: "The accession number leads to more than one patient.",
    remedy: "Give the patient ID in the row, or the Study Instance UID.",
  },
  ARCHIVE_ASKED_TO_WAIT: {
    class: "transient",
    summary: "The archive asked to be left alone for a while.",
    remedy:
      "None: it is asked again after that. If it persists, lower its rate and associations; radferry archive echo ends the wait.",
  },
  ARCHIVE_CLOSED: {
    class: "transient",
    summary: "The archive may not be used at this time.",
    remedy:
      "None: it is asked when its next window opens. radferry archive list shows when; radferry archive windows changes it.",
  },
  ARCHIVE_FOLDER_UNREADABLE: {
    class: "transient",
    summary: "The folder that is an archive, or one below it, cannot be read.",
    remedy: "Check that it is mounted and readable for the service's user.",
  },
  ARCHIVE_OUT_OF_RESOURCES: {
    class: "transient",
    summary: "The archive is out of resources.",
    remedy: "None at first: it is retried. If it persists, lower the archive's associations.",
  },
  ARCHIVE_PAUSED: {
    class: "transient",
    summary: "The archive was paused by an operator.",
    remedy: "Run radferry archive resume when it may be used again.",
  },
  ARCHIVE_RATE_LIMITED: {
    class: "transient",
    summary: "The archive has been asked for as many studies as its rate allows.",
    remedy: "None: the study is asked for in its turn. radferry archive rate changes how many a minute are allowed.",
  },
  ARCHIVE_REFUSED_REQUEST: {
    class: "permanent",
    summary: "The archive refused the request as not allowed or not understood.",
    remedy: "Ask the archive's administrator to allow our AE title study root C-FIND and C-MOVE or C-GET.",
  },
  ARCHIVE_RESTING: {
    class: "transient",
    summary: "The archive failed several times in a row and is left alone for a while.",
    remedy:
      "None at first: it is probed by itself. If it persists, try radferry archive echo and ask the archive's administrator.",
  },
  ARCHIVE_UNABLE: {
    class: "transient",
    summary: "The archive said that it was unable to carry the request out.",
    remedy:
      "None at first: it is retried. If it persists, run radferry doctor: some, Orthanc among them, say this of a move destination that they do not know. Else ask the archive's administrator for the log of that time.",
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
  LISTENER_PORT_IN_USE: {
    class: "permanent",
    summary:
      "A listener of ours, for DICOM or of the imaging source, cannot be opened: another program has the port, the address is not this machine's, or a port below 1024 is not for our user.",
    remedy:
      "Look at the cause. EADDRINUSE: stop the other program, or set another port, of dicom or imagingSource, and tell the archives. EACCES: give the service CAP_NET_BIND_SERVICE, or take a port from 1024 on. EADDRNOTAVAIL: correct the host.",
  },
  MOVE_DESTINATION_UNKNOWN: {
    class: "permanent",
    summary: "The archive does not know our AE title as a move destination.",
    remedy: "Send the archive's administrator the line that radferry doctor prints.",
  },
  MOVE_DESTINATION_UNREACHED: {
    class: "permanent",
    summary: "The archive took a C-MOVE to our AE title but sent nothing to our listener.",
    remedy:
      "Send the archive's administrator the line that radferry doctor prints, and check that a firewall lets the archive reach our port.",
  },
  NODE_AT_WORK: {
    class: "transient",
    summary: "The gateway gave a sign of life within the last half minute.",
    remedy:
      "Forget only a gateway that is gone for good: what lay on its disk alone is given up. Stop it, and wait for half a minute.",
  },
  NODE_FORGET_INVALID: {
    class: "permanent",
    summary: "A gateway cannot be forgotten with this reason.",
    remedy: "Give one line of 1 to 200 characters, without any identifier.",
  },
  NODE_NAME_IN_USE: {
    class: "permanent",
    summary: "Another gateway on the same database is at work under this name.",
    remedy:
      "Give each gateway a node.name of its own. After one has died, another home may have its name half a minute later.",
  },
  NODE_ROLES_INCOMPLETE: {
    class: "permanent",
    summary: "A gateway that works on studies of an archive with C-MOVE has to receive them too.",
    remedy: "Add receiver to node.roles, or retrieve by C-GET or HTTP.",
  },
  NODE_UNKNOWN: {
    class: "permanent",
    summary: "No gateway of this name is known.",
    remedy:
      "radferry node list shows those that share the database; a withdrawal names the ones that it waits for. With a store of its own a gateway is no part of a list.",
  },
  NODE_UNREACHABLE: {
    class: "transient",
    summary: "A gateway that has our AE title too cannot be reached at the address it tells.",
    remedy:
      "Set node.host and node.port to where the others reach it, and let the firewall pass them. With dicom.tls its certificate has to bear that host's name, or node.tls.serverName, and be good for a client too.",
  },
  NOTHING_LEFT_BY_FILTERS: {
    class: "permanent",
    summary: "The project's filters and its profile leave nothing of the study.",
    remedy:
      "None if that is intended; else `radferry study show ID` says why each instance is left out: look at the filters, or at what the profile says of such objects.",
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
  PATIENT_WITHDRAWN: {
    class: "permanent",
    summary: "The patient was withdrawn from the project.",
    remedy: "None: the study is neither asked for nor delivered, and what was delivered is taken back.",
  },
  PROJECT_UNKNOWN: {
    class: "permanent",
    summary: "No project of that name is configured.",
    remedy:
      "Check the name against radferry project list. Studies of a project that was taken out of the settings wait until it is there again, or are cancelled.",
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
  SERIES_MISSING: {
    class: "permanent",
    summary: "The archive lists some of the series that were asked for, not all of them.",
    remedy:
      "Check the row's series_instance_uids, submit it with those that are there, or leave them empty for the whole study. To deliver what is there, set the project's partial to deliver and retry the study.",
  },
  SERIES_NOT_FOUND: {
    class: "permanent",
    summary: "The study is there, but none of the series that were asked for.",
    remedy: "Check the row's series_instance_uids, or leave them empty for the whole study.",
  },
  START_SCHEDULED: {
    class: "transient",
    summary: "The study waits for the start that its cohort was submitted with.",
    remedy: "None: it begins then. To begin now, submit the same rows without a start, or cancel and retry.",
  },
  STUDY_KEYS_DISAGREE: {
    class: "permanent",
    summary:
      "The archive has the study of this Study Instance UID for another patient ID or accession number than its row says.",
    remedy:
      "See in the archive whose study it is. Correct the row, or leave empty what the archive writes otherwise, and submit it again: the new row takes the place of the old one.",
  },
  STUDY_LOST_WITH_NODE: {
    class: "permanent",
    summary: "The study was sent to a gateway that an operator says is gone, and lay on its disk alone.",
    remedy:
      "Have it sent again. Where an archive of the project has it, queue it again: radferry study retry --code STUDY_LOST_WITH_NODE.",
  },
  STUDY_NOT_FOUND: {
    class: "permanent",
    summary: "No archive of the project has the study.",
    remedy: "Check the identifiers of the row, and whether the project's archives hold such studies.",
  },
  STUDY_ON_OTHER_NODE: {
    class: "transient",
    summary: "The study was sent to another gateway and lies on its disk.",
    remedy:
      "None while that gateway works: it goes on with the study. radferry node list shows which one gave no sign; start it. Where it is gone for good, give it up with radferry node forget, and have the study sent again.",
  },
  STUDY_REPORT_NOT_KEPT: {
    class: "permanent",
    summary: "No de-identification report of the study is kept here.",
    remedy:
      "None before it is de-identified. Of a study that an earlier version delivered, radferry-report.json lies beside it at the destination.",
  },
  STUDY_THUMBNAIL_NOT_KEPT: {
    class: "permanent",
    summary: "There is no picture of the study's de-identified copy.",
    remedy:
      "None: only what was de-identified and may leave has one, if its images are not compressed; of old studies it is not kept.",
  },
  TOO_MANY_STUDIES: {
    class: "permanent",
    summary: "The identifiers match more studies than one request may bring.",
    remedy: "Narrow the row down, or raise the project's maximumStudiesPerRequest.",
  },
  WITHDRAWAL_INVALID: {
    class: "permanent",
    summary: "Whom to withdraw, or why, is not told as it has to be; the details say what is wrong.",
    remedy: "Name patient ids as the archives have them, and a reason in one line without any identifier.",
  },
  WITHDRAWN_KEY_OTHER: {
    class: "permanent",
    summary: "The withdrawn list was made under another key than the one that lies here: by this one it knows nobody.",
    remedy:
      "Put the key with the wanted id at keys/withdrawn.key below home, from its backup or from the machine that withdrew patients; studies wait until then.",
  },
} as const satisfies Record<string, ErrorEntry>;
