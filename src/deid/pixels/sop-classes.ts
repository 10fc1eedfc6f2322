import { storageSopClasses } from "../../dicom/dictionary/sop-classes.ts";

/** What the pixels, or their absence, of a storage SOP class (PS3.4 B.5) mean for letting an object out. */
export type PixelClassKind =
  /** Acquired images: no burned-in text by nature. */
  | "pass"
  /** Projection images: only with Burned In Annotation (0028,0301) NO. */
  | "needs-flag"
  /** Images that carry text by habit: only behind a mask. */
  | "needs-mask"
  /** Moving pictures in the format of a player, with room for its metadata. */
  | "video"
  /** No pixel data by nature. */
  | "no-pixels"
  /** Encapsulated PDF: an empty page may stand in its place. */
  | "pdf"
  /** Other encapsulated documents. */
  | "document";

export interface PixelClass {
  readonly kind: PixelClassKind;
  /** What a profile calls it, with its kin. */
  readonly group: string;
}

const STORAGE = "1.2.840.10008.5.1.4.1.1.";

/** SOP classes without the root above. */
const CLASSES: readonly (readonly [kind: PixelClassKind, group: string, ...sopClasses: string[]])[] = [
  ["pass", "CT", "2", "2.1", "2.2"],
  ["pass", "MR", "4", "4.1", "4.4"],
  ["pass", "NM", "20"],
  ["pass", "PT", "128", "128.1", "130"],
  ["pass", "SEG", "66.4"],
  ["pass", "RTDOSE", "481.2"],
  ["needs-flag", "CR", "1"],
  ["needs-flag", "DX", "1.1", "1.1.1"],
  ["needs-flag", "MG", "1.2", "1.2.1", "13.1.3"],
  ["needs-flag", "IO", "1.3", "1.3.1"],
  ["needs-mask", "US", "6.1", "6.2", "3.1", "6", "3"],
  ["needs-mask", "SC", "7", "7.1", "7.2", "7.3", "7.4"],
  ["needs-mask", "XA", "12.1", "12.1.1", "13.1.1", "13.1.2"],
  ["needs-mask", "RF", "12.2", "12.2.1"],
  ["needs-mask", "ES", "77.1.1"],
  ["needs-mask", "GM", "77.1.2", "77.1.3"],
  ["needs-mask", "XC", "77.1.4"],
  ["needs-mask", "OP", "77.1.5.1", "77.1.5.2", "77.1.5.5", "77.1.5.6"],
  ["needs-mask", "OPT", "77.1.5.4"],
  ["video", "VIDEO", "77.1.1.1", "77.1.2.1", "77.1.4.1"],
  // Spectroscopy, structure set, plans, treatment records, registrations, real world values.
  ["no-pixels", "NONE", "4.2", "481.3", "481.4", "481.5", "481.6", "481.7", "481.8", "481.9", "66.1", "66.3", "67"],
  // Waveforms, but for voices and other sounds.
  [
    "no-pixels",
    "NONE",
    "9.1.1",
    "9.1.2",
    "9.1.3",
    "9.2.1",
    "9.3.1",
    "9.5.1",
    "9.6.1",
    "9.7.1",
    "9.7.2",
    "9.7.3",
    "9.7.4",
    "9.8.1",
  ],
  ["pdf", "DOC", "104.1"],
  // CDA, STL, OBJ, MTL.
  ["document", "DOC", "104.2", "104.3", "104.4", "104.5"],
];

export const PIXEL_CLASSES: ReadonlyMap<string, PixelClass> = new Map(
  CLASSES.flatMap(([kind, group, ...sopClasses]) =>
    sopClasses.map((sopClass): [string, PixelClass] => [STORAGE + sopClass, { kind, group }]),
  ),
);

/** Modalities of images that may be burned in without saying so: those of the classes above that need the flag. PS3.3 C.7.3.1.1.1. */
export const RADIOGRAPH_MODALITIES: ReadonlySet<string> = new Set(["CR", "DX", "IO", "MG", "PX"]);

/** Names of the groups of images a profile may let pass. */
export const PIXEL_GROUPS: ReadonlySet<string> = new Set(
  CLASSES.filter(([kind]) => kind === "pass" || kind === "needs-flag" || kind === "needs-mask").map(
    ([, group]) => group,
  ),
);

/** Structured reports, key objects and presentation states: whole families of SOP classes, as far as they are known. */
export const STRUCTURED_CLASSES: ReadonlySet<string> = new Set(
  Object.values(storageSopClasses).filter((uid) => uid.startsWith(`${STORAGE}88.`) || uid.startsWith(`${STORAGE}11.`)),
);

/** MPEG-2, MPEG-4 and HEVC, fragmentable or not; SMPTE ST 2110. PS3.5 A.4.5 to A.4.8, PS3.6 A-1. */
export const VIDEO_TRANSFER_SYNTAX = /^1\.2\.840\.10008\.1\.2\.(?:4\.10[0-8](?:\.1)?|7\.[123])$/;
