import { extname } from "node:path";
import type { Transfer } from "../store/acquisitions.ts";

/** By which a file's first bytes tell what it is. */
export type Signature = "hdf5" | "dicom" | "numpy" | "none";

/** ScanHub's ResultType. */
export const RESULT_TYPES = ["DICOM", "MRD", "NUMPY", "CALIBRATION", "NOT_SET"] as const;
export type ResultType = (typeof RESULT_TYPES)[number];

/** As much of a file as is looked at. */
export const HEAD_BYTES = 4_096;

/** HDF5 File Format Specification II.A: at 0, or after a user block of 512 bytes or a doubling of that. */
const HDF5 = Buffer.from("\x89HDF\r\n\x1a\n", "latin1");
const HDF5_OFFSETS = [0, 512, 1_024, 2_048];
/** PS3.10 7.1. */
const DICM = Buffer.from("DICM", "latin1");
const DICM_OFFSET = 128;
/** NEP 1. */
const NUMPY = Buffer.from("\x93NUMPY", "latin1");

const BY_EXTENSION: Readonly<Record<string, { readonly type: ResultType; readonly signature?: Signature }>> = {
  ".dcm": { type: "DICOM", signature: "dicom" },
  ".dicom": { type: "DICOM", signature: "dicom" },
  ".mrd": { type: "MRD", signature: "hdf5" },
  ".npy": { type: "NUMPY", signature: "numpy" },
  ".json": { type: "CALIBRATION" },
};

/** As ScanHub takes it: from the name. */
export function typeOf(fileName: string): ResultType {
  return BY_EXTENSION[extname(fileName).toLowerCase()]?.type ?? "NOT_SET";
}

const MRD_TYPE = "application/x-ismrmrd+hdf5";
const UNKNOWN_TYPE = "application/octet-stream";

/** What the device gave; else what stock devices give of such a name. */
export function contentTypeOf({ fileName, contentType }: Pick<Transfer, "fileName" | "contentType">): string {
  return contentType ?? (typeOf(fileName) === "MRD" ? MRD_TYPE : UNKNOWN_TYPE);
}

/** @param head the first HEAD_BYTES, or the whole file */
export function signatureOf(head: Uint8Array): Signature {
  const starts = (bytes: Buffer, offset: number): boolean => bytes.equals(head.subarray(offset, offset + bytes.length));
  if (HDF5_OFFSETS.some((offset) => starts(HDF5, offset))) return "hdf5";
  if (starts(DICM, DICM_OFFSET)) return "dicom";
  return starts(NUMPY, 0) ? "numpy" : "none";
}

/** Whether a file is what its name says, as far as its first bytes tell. */
export function isAsNamed(fileName: string, signature: string): boolean {
  const expected = BY_EXTENSION[extname(fileName).toLowerCase()]?.signature;
  return expected === undefined || expected === signature;
}
