/** What a site may choose. */
export interface AcquisitionPolicy {
  /** A device that was sent a task has so long to begin. */
  readonly startTimeoutMs: number;
  /** So long a device may be away. */
  readonly disconnectGraceMs: number;
  /** So long a file may come after the device said that it was done. */
  readonly quietPeriodMs: number;
  /** What becomes of a task whose device is done and sent nothing. */
  readonly finishWithoutData: "error" | "finished";
  /** A whole file whose result cannot be set is tried again for so long; then it is kept until the next start. */
  readonly publishForMs: number;
  readonly maximumFileBytes: number;
  /** Of all files of an acquisition. */
  readonly maximumAcquisitionBytes: number;
  /** Of all files that one device has in the lake; undefined: no limit. */
  readonly maximumDeviceBytes: number | undefined;
  /** A published file stays so long in the lake; undefined: for ever. */
  readonly retentionMs: number | undefined;
  /** Stays free on the disk of the lake. */
  readonly reserveBytes: number;
  /** Between two looks for what has lapsed. */
  readonly sweepEveryMs: number;
}

export const USUAL_POLICY: AcquisitionPolicy = {
  startTimeoutMs: 30_000,
  disconnectGraceMs: 120_000,
  quietPeriodMs: 60_000,
  finishWithoutData: "error",
  publishForMs: 7 * 86_400_000,
  maximumFileBytes: 256e9,
  maximumAcquisitionBytes: 1e12,
  maximumDeviceBytes: undefined,
  retentionMs: undefined,
  reserveBytes: 1e9,
  sweepEveryMs: 1_000,
};
