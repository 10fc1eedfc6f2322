import type { ErrorEntry } from "../error-class.ts";

/** Codes of object stores that speak S3, sorted. */
export const s3Codes = {
  S3_ACCESS_DENIED: {
    class: "permanent",
    summary: "The object store does not let us do it.",
    remedy: "Check accessKeyId and secretAccessKeyFile, and that they may put, get and head objects below the prefix.",
  },
  S3_BUCKET_MISSING: {
    class: "permanent",
    summary: "The object store has no such bucket.",
    remedy: "Make the bucket, or correct bucket and endpoint of the destination, then retry.",
  },
  S3_CHECKSUM_MISSING: {
    class: "permanent",
    summary: "The object store names no sum of an object that says anything of its content.",
    remedy: "Set readBack: whole for the destination: objects are then fetched back and compared.",
  },
  S3_OBJECT_TOO_LARGE: {
    class: "permanent",
    summary: "An instance is larger than one request to an object store may be, 5 GiB.",
    remedy: "Leave the instance out by a filter, or deliver the study to a destination of another kind.",
  },
  S3_REFUSED: {
    class: "permanent",
    summary: "The object store refused a request.",
    remedy: "Look at its log with the status named in the details; check endpoint, region and pathStyle.",
  },
  S3_UNAVAILABLE: {
    class: "transient",
    summary: "The object store cannot be reached, or cannot do it at the moment.",
    remedy: "Check endpoint and the firewall between us; it is retried.",
  },
  S3_VERSIONS_KEPT: {
    class: "permanent",
    summary: "The objects are deleted, but the object store does not let their earlier versions be deleted.",
    remedy:
      "Delete the versions by hand, or allow the key s3:DeleteObjectVersion; under an object lock wait until it ends. Then run patient withdraw again.",
  },
  S3_VERSIONS_UNSEEN: {
    class: "permanent",
    summary:
      "Whether earlier versions of deleted objects are kept is not known: the object store does not let them be listed.",
    remedy: "Look for versions by hand, or allow the key s3:ListBucketVersions; then run patient withdraw again.",
  },
} as const satisfies Record<string, ErrorEntry>;
