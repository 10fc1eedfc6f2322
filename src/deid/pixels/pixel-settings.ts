/** Pixels from the left and from above, 0 at the upper left corner. */
export interface Rectangle {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

/** A test of a text of the device, as a RegExp has it; `source` is part of what identifies the profile. */
export interface TextTest {
  readonly source: string;
  test(text: string): boolean;
}

/** What an object must be for a mask to fit it; every condition that is there must hold. */
export interface MaskConditions {
  readonly rows: number;
  readonly columns: number;
  readonly sopClassUids?: readonly string[] | undefined;
  readonly manufacturer?: TextTest | undefined;
  readonly model?: TextTest | undefined;
  /** Of one of the values of Software Versions (0018,1020). */
  readonly software?: TextTest | undefined;
  /** Items of the Sequence of Ultrasound Regions (0018,6011). */
  readonly regionCount?: number | undefined;
  readonly transferSyntaxUids?: readonly string[] | undefined;
}

/** Where a device burns text into its images. */
export interface PixelMask {
  readonly name: string;
  readonly when: MaskConditions;
  /** What is blackened: the rectangles, or everything outside the object's own Ultrasound Regions. PS3.3 C.8.5.5. */
  readonly area:
    | { readonly kind: "rectangles"; readonly rectangles: readonly Rectangle[] }
    | { readonly kind: "outside-regions" };
}

/** What a project decides about pixels. */
export interface PixelSettings {
  /** What becomes of an object that neither `allow` nor a mask speaks of. */
  readonly default: "by-class" | "reject";
  /** Groups of SOP classes (`PIXEL_GROUPS`) that pass without a mask; what an object says of itself still holds against it. */
  readonly allow: readonly string[];
  readonly masks: readonly PixelMask[];
  /** Who answers for radiographs without Burned In Annotation (0028,0301); undefined: they are rejected. */
  readonly allowAbsent: string | undefined;
  /** Bits of a word outside Bits Stored: cleared where overlays were kept in them, in every object, or never: then such objects are rejected. */
  readonly clearHighBits: "embedded-overlays" | "always" | "never";
  /** Metadata within compressed frames: cut out, or the object is rejected. */
  readonly jpegMetadata: "strip" | "reject";
}

export const USUAL_PIXELS: PixelSettings = {
  default: "by-class",
  allow: [],
  masks: [],
  allowAbsent: undefined,
  clearHighBits: "embedded-overlays",
  jpegMetadata: "strip",
};
