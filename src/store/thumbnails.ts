/** So many are kept: the newest. */
export const THUMBNAILS_KEPT = 10_000;

/** The part of the store that keeps a picture of a study's de-identified copy. `JobChange` writes it. */
export interface ThumbnailStore {
  /** PNG. Undefined: there is none. */
  thumbnail(job: string): Promise<Uint8Array | undefined>;
}
