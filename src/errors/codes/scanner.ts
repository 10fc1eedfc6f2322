import type { ErrorEntry } from "../error-class.ts";

/** Codes of research scanners: tasks, devices, what they send and where it is kept, sorted. */
export const scannerCodes = {
  SCAN_CANCELLED: {
    class: "permanent",
    summary: "The acquisition was cancelled here; the scanner itself cannot be stopped through its protocol.",
    remedy: "If the scanner still runs, stop it at its own console. radferry scanner task retry opens a new attempt.",
  },
  SCAN_DEVICE_BUSY: {
    class: "transient",
    summary: "The device is at another task.",
    remedy: "None: start the task when the device is done with the other one.",
  },
  SCAN_DEVICE_FAILED: {
    class: "permanent",
    summary: "The device reported an error during the acquisition.",
    remedy: "Read the reason with radferry scanner task show, mend it at the scanner, and retry the task.",
  },
  SCAN_DEVICE_LOST: {
    class: "transient",
    summary: "The device's connection ended during the acquisition and did not come back in time.",
    remedy: "Check the scanner's network, and retry the task when the device is connected again.",
  },
  SCAN_DEVICE_NOT_FOUND: {
    class: "permanent",
    summary: "No device of this id is registered, or its registration was revoked.",
    remedy: "See radferry scanner list; register the device with radferry scanner register.",
  },
  SCAN_DEVICE_OFFLINE: {
    class: "transient",
    summary: "The device is not connected.",
    remedy: "Start the device's own software, and look for it with radferry scanner list.",
  },
  SCAN_DEVICE_QUOTA: {
    class: "permanent",
    summary: "With this file the scanner would have more in the lake than it may.",
    remedy:
      "Deliver its results and let the lake forget them (RADFERRY_SCAN_KEEP_DAYS), or raise RADFERRY_SCAN_DEVICE_GIGABYTES.",
  },
  SCAN_DEVICE_SILENT: {
    class: "transient",
    summary: "The device was sent the task and did not begin: device not responding.",
    remedy: "Restart the device's software: after a dropped connection some versions stay connected and hear nothing.",
  },
  SCAN_FILE_INCOMPLETE: {
    class: "transient",
    summary: "A device sent fewer or more bytes than it had announced; nothing of the file was kept.",
    remedy: "Retry the task; if it persists, the device's software counts wrongly.",
  },
  SCAN_FILE_MISMATCH: {
    class: "transient",
    summary: "The bytes of a file are not those whose checksum the device announced; nothing of it was kept.",
    remedy: "Retry the task; if it persists, look for a proxy or a disk between that changes bytes.",
  },
  SCAN_FILE_NAME_UNSAFE: {
    class: "permanent",
    summary: "A file name leads out of its folder, or is none that a file can have.",
    remedy: "None here: the file was refused. Correct the name in the device's software.",
  },
  SCAN_FILE_REPEATED: {
    class: "permanent",
    summary: "A device sent a file once more that was received before; the first one counts.",
    remedy: "None: nothing is missing.",
  },
  SCAN_FILE_TOO_LARGE: {
    class: "permanent",
    summary: "A file, or all files of an acquisition, are larger than is allowed, or of no size at all.",
    remedy: "Raise RADFERRY_SCAN_MAXIMUM_FILE_GIGABYTES if the size is right.",
  },
  SCAN_FILE_WAITS: {
    class: "transient",
    summary: "A file is whole and kept, but it could not be published yet: this is tried again until it can.",
    remedy:
      "None for the file; if it persists, see with radferry scanner task show what it waits for: the exam-manager, the store or the lake.",
  },
  SCAN_LAKE_FULL: {
    class: "transient",
    summary: "The disk of the data lake has no room for the file.",
    remedy: "Free space below DATA_LAKE_DIRECTORY, then retry the task.",
  },
  SCAN_LAKE_UNAVAILABLE: {
    class: "transient",
    summary: "The data lake cannot be written to or read from.",
    remedy: "Check DATA_LAKE_DIRECTORY: that it is mounted and writable.",
  },
  SCAN_NO_DATA: {
    class: "permanent",
    summary: "The device said that it was done and sent no file.",
    remedy: "Look at the scanner whether the data is there, and retry the task.",
  },
  SCAN_NOT_CLAIMED: {
    class: "permanent",
    summary: "A device reports for a task that it has not claimed, or not any more.",
    remedy: "None here: the report was refused. Start the task for this device.",
  },
  SCAN_PORT_IN_USE: {
    class: "permanent",
    summary:
      "The scanner face cannot be opened: another program has the port, the address is not this machine's, or a port below 1024 is not for our user.",
    remedy:
      "Look at the cause. EADDRINUSE: stop the other program. EACCES: give the service CAP_NET_BIND_SERVICE, or take a port from 1024 on with --port. EADDRNOTAVAIL: name another --host.",
  },
  SCAN_RESULT_DAMAGED: {
    class: "permanent",
    summary: "A file of a result is not there any more, or not as it was received.",
    remedy: "Put the file back from a backup; radferry scanner result verify says which one.",
  },
  SCAN_RESULT_NOT_FOUND: {
    class: "permanent",
    summary: "There is no result of this id.",
    remedy: "See radferry scanner result list.",
  },
  SCAN_RESULT_UNFIT: {
    class: "permanent",
    summary: "The result holds nothing that can go this way.",
    remedy: "DICOM results become studies of a project; others go to XNAT with radferry upload, or to a folder.",
  },
  SCAN_SEQUENCE_INVALID: {
    class: "permanent",
    summary: "A sequence file is empty, too large, or not what its name says.",
    remedy: "Check the file: a Pulseq file is text and begins with its comment or [VERSION].",
  },
  SCAN_SEQUENCE_NOT_FOUND: {
    class: "permanent",
    summary: "There is no sequence of this id, or the task names none.",
    remedy: "Upload the sequence, and name its id in the task.",
  },
  SCAN_TASK_NOT_FOUND: {
    class: "permanent",
    summary: "There is no task of this id.",
    remedy: "See radferry scanner task list.",
  },
  SCAN_TASK_NOT_SCHEDULED: {
    class: "permanent",
    summary: "The task is a template, or its state does not let it be claimed.",
    remedy: "radferry scanner task retry opens a new attempt of a task that ended.",
  },
  SCAN_TASK_OF_ANOTHER: {
    class: "permanent",
    summary: "The task is another device's.",
    remedy: "None here: the report was refused. Give the task to this device, or start it for the other one.",
  },
  SCAN_TASK_TAKEN: {
    class: "permanent",
    summary: "Somebody has claimed the task already.",
    remedy: "None: wait until that attempt ended.",
  },
  SCAN_TASK_WRONG_TYPE: {
    class: "permanent",
    summary: "The task is not an acquisition.",
    remedy: "Name an acquisition task.",
  },
  SCAN_TRANSFER_CUT: {
    class: "transient",
    summary: "The connection ended, or nothing came for too long, before a file was whole; nothing of it was kept.",
    remedy: "None if the device sends it again; else retry the task.",
  },
} as const satisfies Record<string, ErrorEntry>;
