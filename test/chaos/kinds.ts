import type { ErrorCode } from "../../src/errors/registry.ts";
import type { Direction, FaultKind } from "./fault-proxy.ts";

/** Where a connection is interfered with. */
export const PLACES = {
  "archive-move": "an archive asked by C-FIND and C-MOVE",
  "archive-store": "the association by which that archive sends",
  "archive-get": "an archive asked by C-FIND and C-GET",
  "archive-dicomweb": "an archive asked by QIDO-RS and WADO-RS",
  "archive-orthanc": "an archive asked by Orthanc's REST API",
  "destination-dimse": "a destination of C-STORE",
  "destination-dicomweb": "a destination of STOW-RS",
  "destination-orthanc": "a destination of Orthanc's REST API",
  "destination-s3": "an object store",
  "destination-sftp": "an SFTP server",
} as const;

export type Place = keyof typeof PLACES;

/** One way in which a connection breaks, and what comes of it. */
export interface ConnectionKind {
  readonly place: Place;
  readonly fault: FaultKind;
  /** @default from */
  readonly direction?: Direction;
  readonly afterBytes?: number;
  /** The code that the study waits with while it lasts; undefined where it is delivered all the same. */
  readonly seen: ErrorCode | undefined;
}
