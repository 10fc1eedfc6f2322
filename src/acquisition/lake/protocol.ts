/** Each upload has so many blocks of its own, which both threads see: nothing is allocated for what passes. */
export const BLOCK_BYTES = 1024 * 1024;
export const BLOCKS = 3;

/** What the main thread and the thread that writes files say to each other. */
export type ToWriter =
  | { readonly upload: number; readonly open: string; readonly blocks: SharedArrayBuffer }
  /** Which of the blocks is filled, and how far. */
  | { readonly upload: number; readonly block: number; readonly sizeBytes: number }
  | { readonly upload: number; readonly end: "finish" | "discard" }
  | { readonly hash: number; readonly path: string }
  | { readonly close: true };

export interface Received {
  readonly sizeBytes: number;
  /** Hexadecimal digits in lower case. */
  readonly sha256: string;
  /** The first HEAD_BYTES. */
  readonly head: Uint8Array;
}

/** `taken`: the block that is written and hashed. `failure`: the operating system's code, or empty. */
export type FromWriter =
  | { readonly upload: number; readonly opened: true }
  | { readonly upload: number; readonly taken: number }
  | { readonly upload: number; readonly received: Received }
  | { readonly upload: number; readonly discarded: true }
  | { readonly upload: number; readonly failure: string }
  | { readonly hash: number; readonly sum?: Received; readonly failure?: string };
