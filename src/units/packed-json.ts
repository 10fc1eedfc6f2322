import { promisify } from "node:util";
import { constants, deflateRaw, inflateRaw } from "node:zlib";

/** No value that is packed here comes near it; bytes from elsewhere may claim to. */
const MAXIMUM_UNPACKED_BYTES = 512 * 1024 * 1024;

const compress = promisify(deflateRaw);
const decompress = promisify(inflateRaw);

/** A value as compressed JSON text (RFC 1951). The work is done beside this thread. */
export async function packJson(value: unknown): Promise<Uint8Array> {
  return await compress(JSON.stringify(value), { level: constants.Z_BEST_SPEED });
}

/** What was packed. @throws what zlib and JSON say of bytes that are something else, RangeError when they come to too much */
export async function unpackJson(packed: Uint8Array): Promise<unknown> {
  const text = await decompress(packed, { maxOutputLength: MAXIMUM_UNPACKED_BYTES });
  return JSON.parse(text.toString("utf8"));
}
