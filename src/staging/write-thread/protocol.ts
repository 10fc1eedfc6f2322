/** To the thread that writes. */
export type ToWriteThread =
  | {
      readonly write: number;
      readonly descriptor: number;
      readonly pieces: readonly Uint8Array[];
      readonly zeroBytes: number;
      readonly offset: number;
    }
  | { readonly close: true };

/** What became of a write. `isShort`: the disk took less than it was given. */
export interface FromWriteThread {
  readonly write: number;
  readonly failure?: DiskFailure;
  readonly isShort?: true;
}

/** Of what the disk said: an error that passes between threads loses them. */
export interface DiskFailure {
  readonly code: string | undefined;
  readonly syscall: string | undefined;
}
