import { described, type Fields, gone, type Planted, uid, unasked } from "./fields.ts";
import type { Tokens } from "./tokens.ts";

/** An image that others of the study refer to. */
export interface Reference {
  readonly sopClassUid: string;
  readonly sopInstanceUid: string;
}

/** What an object knows of its study. */
export interface Scene {
  readonly tokens: Tokens;
  readonly studyInstanceUid: string;
  readonly seriesInstanceUid: string;
  readonly sopInstanceUid: string;
  readonly frameOfReferenceUid: string;
  /** Of the study, YYYYMMDD. */
  readonly date: string;
  readonly instanceNumber: number;
  /** The first image of the study, and its series. */
  readonly image: Reference;
  readonly imageSeriesInstanceUid: string;
}

/** A kind of object: everything that is not about the patient or the visit. */
export interface Modality {
  readonly name: string;
  readonly sopClassUid: string;
  readonly modality: string;
  readonly hasPixels: boolean;
  fields(scene: Scene): Fields;
  /** Compressed frames in the place of the pixels, and how they are compressed. */
  readonly compressed?: { readonly transferSyntaxUid: string; frame(scene: Scene): Uint8Array };
}

export const ROWS = 16;
export const COLUMNS = 32;

export const STORAGE = "1.2.840.10008.5.1.4.1.1.";

export function referenced({ sopClassUid, sopInstanceUid }: Reference): Fields {
  return { ReferencedSOPClassUID: sopClassUid, ReferencedSOPInstanceUID: uid(sopInstanceUid) };
}

/** A description in which somebody is named. */
export function named({ tokens }: Scene, before: string, behind = ""): Planted {
  const token = tokens.word("description");
  return described([before, token, behind].filter((part) => part !== "").join(" "), token);
}

/** At the top level these sequences are optional, and then go (PS3.15 E.1.1): their UIDs must not stay. */
export function mentioned({ sopClassUid, sopInstanceUid }: Reference): Fields {
  return { ReferencedSOPClassUID: unasked(sopClassUid), ReferencedSOPInstanceUID: gone(sopInstanceUid) };
}

/** Image Type of an image that is blackened in part: then DERIVED, the rest as it was. PS3.3 C.7.6.1.1.2. */
export function masked(imageType: string): Planted {
  const [, ...words] = imageType.split(/[\\ ]/);
  return { text: imageType, checks: [{ category: "text retained", words }] };
}
