/** What a compressed frame has that is no part of its image, or why it cannot be told what it has: a word for the report. */
export type FrameFinding =
  | "no-start-of-image"
  | "application-segment"
  | "comment"
  | "informative-segment"
  | "file-format"
  | "truncated"
  | "trailing-bytes"
  | "marker";

/** Bytes of the frame from `from` up to `to`, or bytes that take the place of others. */
export type Piece = { readonly from: number; readonly to: number } | Uint8Array;

/** The image as the frame's own header has it. */
export interface FrameShape {
  readonly rows: number;
  readonly columns: number;
  readonly samplesPerPixel: number;
  /** Of the widest sample. */
  readonly bits: number;
}

export type FrameScan =
  /** It cannot be told what is in it. */
  | { readonly kind: "unreadable"; readonly finding: FrameFinding }
  /**
   * The pieces one after the other are the image, decoded as before; `removed` names what else there was; without a `shape` it decodes to
   * what the data set says and to nothing else.
   */
  | {
      readonly kind: "readable";
      readonly pieces: readonly Piece[];
      readonly removed: readonly FrameFinding[];
      readonly shape: FrameShape | undefined;
    };

/** Gathers the pieces of a frame that stay. */
export interface PieceList {
  keep(from: number, to: number): void;
  put(bytes: Uint8Array): void;
  removed(finding: FrameFinding): void;
  scan(shape?: FrameShape): FrameScan;
}

export function createPieceList(): PieceList {
  const pieces: Piece[] = [];
  const removed: FrameFinding[] = [];
  return {
    keep(from, to) {
      const last = pieces.at(-1);
      if (last !== undefined && "from" in last && last.to === from) pieces[pieces.length - 1] = { from: last.from, to };
      else if (to > from) pieces.push({ from, to });
    },
    put: (bytes) => void pieces.push(bytes),
    removed: (finding) => void removed.push(finding),
    scan: (shape) => ({ kind: "readable", pieces, removed, shape }),
  };
}

export function unreadable(finding: FrameFinding): FrameScan {
  return { kind: "unreadable", finding };
}

export function lengthOfPieces(pieces: readonly Piece[]): number {
  return pieces.reduce((sum, piece) => sum + ("from" in piece ? piece.to - piece.from : piece.length), 0);
}

/** Encoders that sign their work: comments of exactly these forms are no one's data. */
export const ENCODER_COMMENT =
  /^(?:LEAD Technologies Inc\. V[0-9]\.[0-9]{1,2}|Kakadu-v?[0-9](?:\.[0-9]{1,2}){0,3}|Created by (?:GDCM\/)?OpenJPEG version [0-9](?:\.[0-9]{1,2}){0,2}|Creator: JasPer Version [0-9](?:\.[0-9]{1,3}){0,3}|CREATOR: gd-jpeg v[0-9]\.[0-9] \(using IJG JPEG v[0-9]{2}\)(?:, quality = [0-9]{1,3})?)?[\0\n ]*$/;

/** Cuts what is behind the image. Encoders pad with zeros, or with ones: that is no finding. */
export function cutTail(bytes: Buffer, from: number, list: PieceList): void {
  const tail = bytes.subarray(from);
  if (tail.length > 1 && tail.some((byte) => byte !== 0 && byte !== 0xff)) list.removed("trailing-bytes");
}
