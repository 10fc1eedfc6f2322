import { convertBytes } from "dicom-character-set";
import { followsCharacterSet, type Vr } from "./vr.ts";

const ASCII_ONLY = /^[\0-\x7f]*$/;
/** What a decoder puts where bytes are none of the character set. */
const REPLACEMENT = "\ufffd";

/** Spellings seen in the field of the terms of PS3.3 C.12.1.1.2: "ISO-IR 100", "ISO_IR_192", "UTF-8". */
const SPELLINGS: readonly (readonly [RegExp, string])[] = [
  [/^ISO[ _-]?IR[ _-]?(\d+)$/i, "ISO_IR $1"],
  [/^ISO[ _-]?2022[ _-]?IR[ _-]?(\d+)$/i, "ISO 2022 IR $1"],
  [/^(?:UTF-?8|unicode-1-1-utf-8)$/i, "ISO_IR 192"],
  [/^(?:latin-?1|iso[ _-]?8859-1)$/i, "ISO_IR 100"],
];

function termOf(spelling: string): string {
  const trimmed = spelling.trim();
  const known = SPELLINGS.find(([pattern]) => pattern.test(trimmed));
  return known === undefined ? trimmed : trimmed.replace(known[0], known[1]);
}

/**
 * Text of a value, padding included. Values outside the character-set VRs are of the default repertoire; what is not is shown as Latin-1.
 * PS3.3 C.12.1.1.2, PS3.5 6.1.
 * @param specificCharacterSet the value of (0008,0005), all values joined by backslashes
 */
export function decodeText(bytes: Uint8Array, vr: Vr, specificCharacterSet: string | undefined): string {
  const latin = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("latin1");
  const isPlain = ASCII_ONLY.test(latin) && !latin.includes("\x1b");
  if (isPlain || !followsCharacterSet(vr)) return latin;
  const terms = specificCharacterSet?.split("\\").map(termOf).join("\\");
  try {
    const text = convertBytes(terms, bytes, { vr });
    // Nothing was declared, and it is no UTF-8 either: Latin-1 is what such files mostly hold.
    const isUndeclared = terms === undefined || terms === "" || terms === "ISO_IR 6";
    return isUndeclared && text.includes(REPLACEMENT) ? latin : text;
  } catch {
    // A character set that nobody knows: the bytes are shown rather than lost.
    return latin;
  }
}

export function isAscii(text: string): boolean {
  return ASCII_ONLY.test(text);
}
