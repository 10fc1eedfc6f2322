import type { FacePorts } from "./gateway.ts";

/** What a running service shows to others besides its DICOM listener. */
export interface Fronts {
  readonly imagingSourceUrl: string | undefined;
  readonly facePorts: FacePorts;
  readonly httpPort: number | undefined;
  /** The secret of the first admin, where nobody has a token yet: once all else is open, as it is shown once. */
  makeFirstToken(): Promise<string | undefined>;
  drain(): Promise<void>;
}

/** Of a process that only works or looks. */
export const NO_FRONTS: Fronts = {
  imagingSourceUrl: undefined,
  facePorts: {},
  httpPort: undefined,
  makeFirstToken: () => Promise.resolve(undefined),
  drain: () => Promise.resolve(),
};
