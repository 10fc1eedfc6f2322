/** How a data set is encoded. PS3.5 8, 10, annex A; UIDs of PS3.6 table A-1. */
export interface TransferSyntax {
  readonly uid: string;
  readonly keyword: string;
  readonly explicitVr: boolean;
  readonly littleEndian: boolean;
  readonly deflated: boolean;
  /** Pixel data in fragments. */
  readonly encapsulated: boolean;
}

export const IMPLICIT_VR_LITTLE_ENDIAN = "1.2.840.10008.1.2";
export const EXPLICIT_VR_LITTLE_ENDIAN = "1.2.840.10008.1.2.1";
export const DEFLATED_EXPLICIT_VR_LITTLE_ENDIAN = "1.2.840.10008.1.2.1.99";
export const EXPLICIT_VR_BIG_ENDIAN = "1.2.840.10008.1.2.2";

const plain = { explicitVr: true, littleEndian: true, deflated: false, encapsulated: false } as const;

/** Every encapsulated syntax is explicit VR little endian round its fragments. PS3.5 A.4. */
const ENCAPSULATED = {
  "1.2.840.10008.1.2.1.98": "EncapsulatedUncompressedExplicitVRLittleEndian",
  "1.2.840.10008.1.2.4.50": "JPEGBaseline8Bit",
  "1.2.840.10008.1.2.4.51": "JPEGExtended12Bit",
  "1.2.840.10008.1.2.4.52": "JPEGExtended35",
  "1.2.840.10008.1.2.4.53": "JPEGSpectralSelectionNonHierarchical68",
  "1.2.840.10008.1.2.4.54": "JPEGSpectralSelectionNonHierarchical79",
  "1.2.840.10008.1.2.4.55": "JPEGFullProgressionNonHierarchical1012",
  "1.2.840.10008.1.2.4.56": "JPEGFullProgressionNonHierarchical1113",
  "1.2.840.10008.1.2.4.57": "JPEGLossless",
  "1.2.840.10008.1.2.4.58": "JPEGLosslessNonHierarchical15",
  "1.2.840.10008.1.2.4.70": "JPEGLosslessSV1",
  "1.2.840.10008.1.2.4.80": "JPEGLSLossless",
  "1.2.840.10008.1.2.4.81": "JPEGLSNearLossless",
  "1.2.840.10008.1.2.4.90": "JPEG2000Lossless",
  "1.2.840.10008.1.2.4.91": "JPEG2000",
  "1.2.840.10008.1.2.4.92": "JPEG2000MCLossless",
  "1.2.840.10008.1.2.4.93": "JPEG2000MC",
  "1.2.840.10008.1.2.4.94": "JPIPReferenced",
  "1.2.840.10008.1.2.4.100": "MPEG2MPML",
  "1.2.840.10008.1.2.4.100.1": "MPEG2MPMLF",
  "1.2.840.10008.1.2.4.101": "MPEG2MPHL",
  "1.2.840.10008.1.2.4.101.1": "MPEG2MPHLF",
  "1.2.840.10008.1.2.4.102": "MPEG4HP41",
  "1.2.840.10008.1.2.4.102.1": "MPEG4HP41F",
  "1.2.840.10008.1.2.4.103": "MPEG4HP41BD",
  "1.2.840.10008.1.2.4.103.1": "MPEG4HP41BDF",
  "1.2.840.10008.1.2.4.104": "MPEG4HP422D",
  "1.2.840.10008.1.2.4.104.1": "MPEG4HP422DF",
  "1.2.840.10008.1.2.4.105": "MPEG4HP423D",
  "1.2.840.10008.1.2.4.105.1": "MPEG4HP423DF",
  "1.2.840.10008.1.2.4.106": "MPEG4HP42STEREO",
  "1.2.840.10008.1.2.4.106.1": "MPEG4HP42STEREOF",
  "1.2.840.10008.1.2.4.107": "HEVCMP51",
  "1.2.840.10008.1.2.4.108": "HEVCM10P51",
  "1.2.840.10008.1.2.4.110": "JPEGXLLossless",
  "1.2.840.10008.1.2.4.111": "JPEGXLJPEGRecompression",
  "1.2.840.10008.1.2.4.112": "JPEGXL",
  "1.2.840.10008.1.2.4.201": "HTJ2KLossless",
  "1.2.840.10008.1.2.4.202": "HTJ2KLosslessRPCL",
  "1.2.840.10008.1.2.4.203": "HTJ2K",
  "1.2.840.10008.1.2.5": "RLELossless",
  "1.2.840.10008.1.2.8.1": "DeflatedImageFrameCompression",
} as const;

export const transferSyntaxes: ReadonlyMap<string, TransferSyntax> = new Map(
  [
    { ...plain, uid: IMPLICIT_VR_LITTLE_ENDIAN, keyword: "ImplicitVRLittleEndian", explicitVr: false },
    { ...plain, uid: EXPLICIT_VR_LITTLE_ENDIAN, keyword: "ExplicitVRLittleEndian" },
    { ...plain, uid: DEFLATED_EXPLICIT_VR_LITTLE_ENDIAN, keyword: "DeflatedExplicitVRLittleEndian", deflated: true },
    { ...plain, uid: EXPLICIT_VR_BIG_ENDIAN, keyword: "ExplicitVRBigEndian", littleEndian: false },
    ...Object.entries(ENCAPSULATED).map(([uid, keyword]) => ({ ...plain, uid, keyword, encapsulated: true })),
  ].map((syntax) => [syntax.uid, syntax]),
);

/** An unknown syntax is read as explicit VR little endian, as every one defined since 1996 is. */
export function transferSyntaxOf(uid: string): TransferSyntax {
  return transferSyntaxes.get(uid) ?? { ...plain, uid, keyword: "", encapsulated: true };
}
