import { Readable } from "node:stream";
import { crc32, createInflateRaw } from "node:zlib";
import type { ByteSource } from "../../dicom/data-set.ts";
import { GatewayError } from "../../errors/gateway-error.ts";
import { LOCAL_HEADER, LOCAL_HEADER_BYTES } from "./zip-format.ts";
import type { ZipMember } from "./zip-members.ts";

const READ_BYTES = 256 * 1024;

export interface ContentOptions {
  /** Read at once from the zip. @default 262144 */
  readonly readBytes?: number;
}

/**
 * The content of a file in a zip, unpacked as it is asked for. Who stops early has not had its sum compared.
 * @throws GatewayError ZIP_ENTRY_DAMAGED when it is not what the zip says of it, also where it would become longer
 */
export async function* memberContent(
  zip: ByteSource,
  member: ZipMember,
  { readBytes = READ_BYTES }: ContentOptions = {},
): AsyncGenerator<Uint8Array> {
  const packed = packedPieces(zip, member, readBytes);
  let sizeBytes = 0;
  let sum = 0;
  for await (const piece of member.isDeflated ? inflated(packed) : packed) {
    sizeBytes += piece.length;
    if (sizeBytes > member.sizeBytes) throw damaged("longer than it says");
    sum = crc32(piece, sum);
    yield piece;
  }
  if (sizeBytes !== member.sizeBytes) throw damaged("shorter than it says");
  if (sum !== member.sum) throw damaged("sum");
}

function damaged(what: string, cause?: unknown): GatewayError {
  return new GatewayError("ZIP_ENTRY_DAMAGED", { what }, cause);
}

/** Behind the local header, whose name and extra field may be of other lengths than the directory's. APPNOTE 4.3.7. */
async function* packedPieces(
  zip: ByteSource,
  { headerOffset, packedBytes }: ZipMember,
  readBytes: number,
): AsyncGenerator<Uint8Array> {
  const header = Buffer.from(await zip.read(headerOffset, LOCAL_HEADER_BYTES));
  if (header.length !== LOCAL_HEADER_BYTES || header.readUInt32LE(0) !== LOCAL_HEADER) throw damaged("local header");
  const start = headerOffset + LOCAL_HEADER_BYTES + header.readUInt16LE(26) + header.readUInt16LE(28);
  for (let done = 0; done < packedBytes; ) {
    const piece = await zip.read(start + done, Math.min(readBytes, packedBytes - done));
    if (piece.length === 0) throw damaged("cut");
    done += piece.length;
    yield piece;
  }
}

async function* inflated(packed: AsyncGenerator<Uint8Array>): AsyncGenerator<Uint8Array> {
  const inflater = createInflateRaw();
  const input = Readable.from(packed);
  input.on("error", (error) => inflater.destroy(error));
  input.pipe(inflater);
  try {
    for await (const piece of inflater as AsyncIterable<Buffer>) yield piece;
  } catch (thrown) {
    throw thrown instanceof GatewayError ? thrown : damaged("does not unpack", thrown);
  } finally {
    input.destroy();
    inflater.destroy();
  }
}
