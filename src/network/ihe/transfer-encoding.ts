import { DicomTrolleyError } from "./errors.ts";

type Decoder = (pieces: readonly Uint8Array[]) => readonly Uint8Array[];

const AS_IT_IS: ReadonlySet<string> = new Set(["binary", "8bit", "7bit", ""]);

/** Undoes a part's Content-Transfer-Encoding, lot by lot. RFC 2045 6. @throws DicomTrolleyError RAD69_ANSWER_INVALID for one that nobody uses */
export function transferDecoder(encoding = ""): Decoder {
  const name = encoding.trim().toLowerCase();
  if (AS_IT_IS.has(name)) return (pieces) => pieces;
  if (name === "base64") return base64Decoder();
  throw new DicomTrolleyError("RAD69_ANSWER_INVALID", { what: "content transfer encoding" });
}

/** Groups of four characters may be cut anywhere, and have line ends in them. */
function base64Decoder(): Decoder {
  let left = "";
  return (pieces) => {
    const text =
      left +
      Buffer.concat(pieces)
        .toString("latin1")
        .replaceAll(/[^A-Za-z0-9+/=]/g, "");
    const whole = text.length - (text.length % 4);
    left = text.slice(whole);
    return [Buffer.from(text.slice(0, whole), "base64")];
  };
}
