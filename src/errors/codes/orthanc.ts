import type { ErrorEntry } from "../error-class.ts";

/** Codes of an Orthanc that works for us, sorted. */
export const orthancCodes = {
  ORTHANC_JOB_CANCELLED: {
    class: "permanent",
    summary: "Somebody cancelled the job in the Orthanc.",
    remedy: "Retry it if it is wanted after all.",
  },
  ORTHANC_JOB_FAILED: {
    class: "transient",
    summary: "A job of the Orthanc failed.",
    remedy: "None at first: it is retried. If it persists, look the job up in the Orthanc, where its details say why.",
  },
  ORTHANC_JOB_LOST: {
    class: "ambiguous",
    summary: "The Orthanc knows the job no more, so how it ended is unknown.",
    remedy: "None at first: what it did is checked. If it persists, raise JobsHistorySize of the Orthanc.",
  },
  ORTHANC_JOB_TIMED_OUT: {
    class: "transient",
    summary: "A job of the Orthanc was not done in its time and was cancelled.",
    remedy: "None at first: it is retried. If it persists, look for what its jobs wait for, or allow more time.",
  },
  ORTHANC_JOB_UNCANCELLED: {
    class: "ambiguous",
    summary: "A job of the Orthanc was not done in its time, and the Orthanc did not confirm that it was cancelled.",
    remedy: "None at first: what it did is checked. If it persists, look the job up in the Orthanc.",
  },
  ORTHANC_MODALITY_FAILED: {
    class: "transient",
    summary: "The Orthanc could not carry the request out with one of its modalities.",
    remedy:
      "None at first: it is retried. If it persists, check the modality's address and AE title in the Orthanc, and what the modality knows of the Orthanc.",
  },
  ORTHANC_MODALITY_UNKNOWN: {
    class: "permanent",
    summary: "The Orthanc has no modality of this name.",
    remedy: "Correct the name, or enter the modality in the Orthanc's DicomModalities.",
  },
} as const satisfies Record<string, ErrorEntry>;
