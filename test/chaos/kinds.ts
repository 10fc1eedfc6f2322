import type { ErrorCode } from "../../src/errors/registry.ts";
import type { Direction, FaultKind } from "./fault-proxy.ts";

/** Where a connection is interfered with. */
export const PLACES = {
  "archive-move": "to an archive asked by C-FIND and C-MOVE",
  "archive-store": "from that archive, by which it sends",
  "archive-get": "to an archive asked by C-FIND and C-GET",
  "archive-dicomweb": "to an archive asked by QIDO-RS and WADO-RS",
  "archive-orthanc": "to an archive asked by Orthanc's REST API",
  "destination-dimse": "to a destination of C-STORE",
  "destination-dicomweb": "to a destination of STOW-RS",
  "destination-orthanc": "to a destination of Orthanc's REST API",
  "destination-s3": "to an object store",
  "destination-sftp": "to an SFTP server",
} as const;

export type Place = keyof typeof PLACES;

/** What is done to a connection, as the page of failures says it. */
export const FAULTS = {
  refused: "every connection is reset at once",
  reset: "it is reset in the middle of what is sent",
  cut: "it is closed in the middle of what is sent",
  stalled: "it falls silent in the middle, and stays open",
  "half-open": "the other end is gone, and nobody says so",
  slow: "a few kilobytes every hundredth of a second pass",
  corrupt: "one byte is changed in the middle",
} as const satisfies Readonly<Record<FaultKind, string>>;

/** What comes of a study: it is delivered whole, by itself or once the fault is over; or it ends, and waits for a person. */
export type End = "delivered" | "failed";

/** One way in which a connection breaks, and what comes of it. */
export interface ConnectionKind {
  readonly place: Place;
  readonly fault: FaultKind;
  readonly direction: Direction;
  /** So much of each connection passes before. */
  readonly afterBytes: number;
  /** The code that the study waits or ends with while it lasts; undefined where it passes through. */
  readonly seen: ErrorCode | undefined;
  readonly end: End;
}

/** In the middle of what an answer or an object is: after the handshake, before the end. */
const MIDDLE: Readonly<Record<Place, Pick<ConnectionKind, "direction" | "afterBytes">>> = {
  "archive-move": { direction: "from", afterBytes: 300 },
  "archive-store": { direction: "to", afterBytes: 10_000 },
  "archive-get": { direction: "from", afterBytes: 20_000 },
  "archive-dicomweb": { direction: "from", afterBytes: 20_000 },
  "archive-orthanc": { direction: "from", afterBytes: 20_000 },
  "destination-dimse": { direction: "to", afterBytes: 10_000 },
  "destination-dicomweb": { direction: "to", afterBytes: 10_000 },
  "destination-orthanc": { direction: "to", afterBytes: 10_000 },
  "destination-s3": { direction: "to", afterBytes: 10_000 },
  "destination-sftp": { direction: "to", afterBytes: 20_000 },
};

type Seen = Readonly<Record<Place, ErrorCode | undefined>>;

const LOST: Seen = {
  "archive-move": "ASSOCIATION_ABORTED",
  // What Orthanc says of a C-MOVE whose sub-operations failed.
  "archive-store": "ARCHIVE_UNABLE",
  "archive-get": "ASSOCIATION_ABORTED",
  "archive-dicomweb": "MULTIPART_TRUNCATED",
  "archive-orthanc": "HTTP_CONNECTION_LOST",
  "destination-dimse": "DELIVERY_INTERRUPTED",
  "destination-dicomweb": "HTTP_CONNECTION_LOST",
  "destination-orthanc": "HTTP_CONNECTION_LOST",
  "destination-s3": "DELIVERY_INTERRUPTED",
  "destination-sftp": "DELIVERY_INTERRUPTED",
};

const SEEN: Readonly<Partial<Record<FaultKind, Seen>>> = {
  refused: {
    "archive-move": "CONNECTION_FAILED",
    "archive-store": "ARCHIVE_UNABLE",
    "archive-get": "CONNECTION_FAILED",
    "archive-dicomweb": "CONNECTION_FAILED",
    "archive-orthanc": "CONNECTION_FAILED",
    "destination-dimse": "CONNECTION_FAILED",
    "destination-dicomweb": "CONNECTION_FAILED",
    "destination-orthanc": "CONNECTION_FAILED",
    "destination-s3": "S3_UNAVAILABLE",
    "destination-sftp": "SFTP_UNAVAILABLE",
  },
  reset: LOST,
  cut: LOST,
  slow: Object.fromEntries(Object.keys(PLACES).map((place) => [place, undefined])) as Seen,
};

export const CONNECTION_KINDS: readonly ConnectionKind[] = (Object.keys(SEEN) as FaultKind[]).flatMap((fault) =>
  (Object.keys(PLACES) as Place[]).map((place) => ({
    place,
    fault,
    ...MIDDLE[place],
    seen: SEEN[fault]?.[place],
    end: "delivered" as const,
  })),
);
