import type { ErrorCode } from "../../src/errors/registry.ts";
import type { Direction, FaultKind } from "./fault-proxy.ts";

/** What comes of a study: it is delivered whole, by itself or once the fault is over; or it ends, and waits for a person. */
export type End = "delivered" | "failed";

/** One way in which something breaks, and what comes of it. */
export interface FailureKind {
  /** Of its own. */
  readonly name: string;
  readonly where: string;
  readonly what: string;
  /** What a study waits with while it lasts, or ends with; undefined where it passes through. */
  readonly seen: ErrorCode | undefined;
  readonly end: End;
  /** Present: what arrives is not what was sent, and nobody notices. */
  readonly isDamageUnseen?: true;
}

/** Where a connection is interfered with. */
export const PLACES = {
  "archive-move": "connection to an archive asked by C-FIND and C-MOVE",
  "archive-store": "connection from that archive, by which it sends",
  "archive-get": "connection to an archive asked by C-FIND and C-GET",
  "archive-dicomweb": "connection to an archive asked by QIDO-RS and WADO-RS",
  "archive-orthanc": "connection to an archive asked by Orthanc's REST API",
  "destination-dimse": "connection to a destination of C-STORE",
  "destination-dicomweb": "connection to a destination of STOW-RS",
  "destination-orthanc": "connection to a destination of Orthanc's REST API",
  "destination-s3": "connection to an object store",
  "destination-sftp": "connection to an SFTP server",
} as const;

export type Place = keyof typeof PLACES;

/** What is done to a connection: a fault of the proxy, in the middle of what is sent or at its first byte. */
export type ConnectionFault = FaultKind | "corrupt-head";

const FAULTS = {
  refused: "every connection is reset at once",
  reset: "it is reset in the middle of what is sent",
  cut: "it is closed in the middle of what is sent",
  stalled: "it falls silent in the middle, and stays open",
  "half-open": "the other end is gone, and nobody says so",
  slow: "2,000 bytes every hundredth of a second pass",
  corrupt: "one byte is changed in the middle",
  "corrupt-head": "the first byte is changed",
} as const satisfies Readonly<Record<ConnectionFault, string>>;

export interface ConnectionKind extends FailureKind {
  readonly place: Place;
  readonly fault: ConnectionFault;
  readonly direction: Direction;
  /** So much of each connection passes before. */
  readonly afterBytes: number;
}

/** In the middle of what an answer or an object is: after the handshake, before the end. */
const MIDDLE: Readonly<Record<Place, Pick<ConnectionKind, "direction" | "afterBytes">>> = {
  "archive-move": { direction: "from", afterBytes: 300 },
  // Behind the request for an association, in which Orthanc offers all that it knows.
  "archive-store": { direction: "to", afterBytes: 40_000 },
  "archive-get": { direction: "from", afterBytes: 20_000 },
  "archive-dicomweb": { direction: "from", afterBytes: 20_000 },
  "archive-orthanc": { direction: "from", afterBytes: 20_000 },
  "destination-dimse": { direction: "to", afterBytes: 10_000 },
  "destination-dicomweb": { direction: "to", afterBytes: 10_000 },
  "destination-orthanc": { direction: "to", afterBytes: 10_000 },
  "destination-s3": { direction: "to", afterBytes: 10_000 },
  "destination-sftp": { direction: "to", afterBytes: 20_000 },
};

interface Result {
  readonly seen?: ErrorCode;
  /** @default delivered */
  readonly end?: End;
  readonly isDamageUnseen?: true;
}

const PASSES: Result = {};
const UNSEEN: Result = { isDamageUnseen: true };

const waits = (seen: ErrorCode): Result => ({ seen });
const fails = (seen: ErrorCode): Result => ({ seen, end: "failed" });

type Results = Readonly<Record<Place, Result>>;

const LOST: Results = {
  "archive-move": waits("ASSOCIATION_ABORTED"),
  // What Orthanc says of a C-MOVE whose sub-operations failed.
  "archive-store": waits("ARCHIVE_UNABLE"),
  "archive-get": waits("ASSOCIATION_ABORTED"),
  "archive-dicomweb": waits("MULTIPART_TRUNCATED"),
  "archive-orthanc": waits("HTTP_CONNECTION_LOST"),
  "destination-dimse": waits("DELIVERY_INTERRUPTED"),
  "destination-dicomweb": waits("HTTP_CONNECTION_LOST"),
  "destination-orthanc": waits("HTTP_CONNECTION_LOST"),
  "destination-s3": waits("DELIVERY_INTERRUPTED"),
  "destination-sftp": waits("DELIVERY_INTERRUPTED"),
};

const SILENT: Results = {
  ...LOST,
  "archive-move": waits("TIMED_OUT"),
  "archive-get": waits("TIMED_OUT"),
  "archive-dicomweb": waits("HTTP_IDLE_TIMED_OUT"),
  "archive-orthanc": waits("HTTP_IDLE_TIMED_OUT"),
  // The server gives up first, after a minute.
  "destination-dicomweb": waits("HTTP_UNAVAILABLE"),
  "destination-orthanc": waits("HTTP_UNAVAILABLE"),
};

const RESULTS: Readonly<Record<ConnectionFault, Results>> = {
  refused: {
    "archive-move": waits("CONNECTION_FAILED"),
    "archive-store": waits("ARCHIVE_UNABLE"),
    "archive-get": waits("CONNECTION_FAILED"),
    "archive-dicomweb": waits("CONNECTION_FAILED"),
    "archive-orthanc": waits("CONNECTION_FAILED"),
    "destination-dimse": waits("CONNECTION_FAILED"),
    "destination-dicomweb": waits("CONNECTION_FAILED"),
    "destination-orthanc": waits("CONNECTION_FAILED"),
    "destination-s3": waits("S3_UNAVAILABLE"),
    "destination-sftp": waits("SFTP_UNAVAILABLE"),
  },
  reset: LOST,
  cut: LOST,
  stalled: SILENT,
  "half-open": {
    ...SILENT,
    // Nobody is there to give up: our own time-out of five minutes ends it.
    "destination-dicomweb": waits("HTTP_HEADERS_TIMED_OUT"),
    "destination-orthanc": waits("HTTP_HEADERS_TIMED_OUT"),
  },
  slow: everywhere(PASSES),
  corrupt: {
    ...everywhere(UNSEEN),
    // A type or a length within an answer of C-FIND.
    "archive-move": fails("DIMSE_PROTOCOL_VIOLATION"),
    "destination-s3": waits("DELIVERY_UNCONFIRMED"),
    "destination-sftp": waits("DELIVERY_INTERRUPTED"),
  },
  "corrupt-head": {
    ...everywhere(fails("DIMSE_PROTOCOL_VIOLATION")),
    "archive-store": waits("ARCHIVE_UNABLE"),
    "archive-dicomweb": fails("HTTP_PROTOCOL_VIOLATION"),
    "archive-orthanc": fails("HTTP_PROTOCOL_VIOLATION"),
    "destination-dimse": waits("ASSOCIATION_ABORTED"),
    // The server answers that it does not understand.
    "destination-dicomweb": fails("HTTP_REFUSED"),
    "destination-orthanc": fails("HTTP_REFUSED"),
    "destination-s3": fails("S3_REFUSED"),
    "destination-sftp": waits("SFTP_UNAVAILABLE"),
  },
};

function everywhere(result: Result): Results {
  return Object.fromEntries(Object.keys(PLACES).map((place) => [place, result])) as Results;
}

export const CONNECTION_KINDS: readonly ConnectionKind[] = (Object.keys(FAULTS) as ConnectionFault[]).flatMap((fault) =>
  (Object.keys(PLACES) as Place[]).map((place) => {
    const { seen, end = "delivered", ...rest } = RESULTS[fault][place];
    const { direction, afterBytes } = MIDDLE[place];
    return {
      name: `${place} ${fault}`,
      place,
      fault,
      direction,
      afterBytes: fault === "corrupt-head" ? 0 : afterBytes,
      where: PLACES[place],
      what: FAULTS[fault],
      seen,
      end,
      ...rest,
    };
  }),
);
