import { convertBytes } from "dicom-character-set";
import { followsCharacterSet, type Vr } from "./vr.ts";

const ASCII_ONLY = /^[\0-\x7f]*$/;

/**
 * Text of a value, padding included. Values outside the character-set VRs are of the default repertoire; what is not is shown as Latin-1.
 * PS3.3 C.12.1.1.2, PS3.5 6.1.
 * @param specificCharacterSet the value of (0008,0005), all values joined by backslashes
 */
export function decodeText(bytes: Uint8Array, vr: Vr, specificCharacterSet: string | undefined): string {
  const latin = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("latin1");
  const isPlain = ASCII_ONLY.test(latin) && !latin.includes("\x1b");
  if (isPlain || !followsCharacterSet(vr)) return latin;
  try {
    return convertBytes(specificCharacterSet, bytes, { vr });
  } catch {
    // A character set that nobody knows: the bytes are shown rather than lost.
    return latin;
  }
}

export function isAscii(text: string): boolean {
  return ASCII_ONLY.test(text);
}
