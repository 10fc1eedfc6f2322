import type { ByteSource } from "../../dicom/data-set.ts";
import { bytesAt } from "../../dicom/pieces-source.ts";
import { GatewayError } from "../../errors/gateway-error.ts";

/**
 * The head of what can only be read from front to back, such as a file in a zip: what was read stays in memory, up to `mostBytes`.
 * What it throws is that of the content; DICOM_LIMIT_EXCEEDED when more is asked for.
 */
export function headSource(
  content: AsyncGenerator<Uint8Array>,
  sizeBytes: number,
  mostBytes: number,
): ByteSource & AsyncDisposable {
  const pieces: Uint8Array[] = [];
  let heldBytes = 0;
  let isEnded = false;
  return {
    sizeBytes,
    async read(offset, length) {
      const wantedBytes = Math.min(offset + length, sizeBytes);
      if (wantedBytes > mostBytes) throw new GatewayError("DICOM_LIMIT_EXCEEDED", { what: "header" });
      while (heldBytes < wantedBytes && !isEnded) {
        const next = await content.next();
        if (next.done) isEnded = true;
        else {
          pieces.push(next.value);
          heldBytes += next.value.length;
        }
      }
      return bytesAt(pieces, offset, Math.max(0, Math.min(length, heldBytes - offset)));
    },
    async [Symbol.asyncDispose]() {
      await content.return(undefined);
    },
  };
}
