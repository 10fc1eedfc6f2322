import type { ErrorEntry } from "../error-class.ts";

/** Codes of reading DICOM objects, sorted. */
export const dicomCodes = {
  DICOM_JSON_BULK_DATA: {
    class: "permanent",
    summary: "DICOM JSON refers to bulk data that cannot be had.",
    remedy: "Give the values in the document, or say where its bulk data is read from; the path names the attribute.",
  },
  DICOM_JSON_INVALID: {
    class: "permanent",
    summary: "This is no DICOM JSON.",
    remedy: "Correct the document where the path says; the model is that of PS3.18 annex F.",
  },
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
  TRANSCODING_DAMAGED: {
    class: "permanent",
    summary: "Compressed pixel data cannot be decoded: it is damaged, or is not what its attributes say.",
    remedy: "Ask the object's source to send it again, or name a destination that takes it compressed.",
  },
  TRANSCODING_LOSSY: {
    class: "permanent",
    summary:
      "The destination takes uncompressed objects alone, and this one is compressed with loss: decoded it would be another object.",
    remedy: "Have the destination take the transfer syntax that the details name.",
  },
  TRANSCODING_UNSUPPORTED: {
    class: "permanent",
    summary:
      "The destination takes uncompressed objects alone, and this one is compressed in a way that is not decoded here.",
    remedy: "Have the destination take the transfer syntax that the details name.",
  },
} as const satisfies Record<string, ErrorEntry>;
