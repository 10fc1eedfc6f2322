import type { MultipartPart } from "./reader.ts";

/** A body that is one instance alone, without multipart around it, as if it were a part. */
export function wholeBody(body: AsyncIterable<Uint8Array>): Pick<MultipartPart, "body" | "pipe"> {
  return {
    body,
    async pipe(sink) {
      let sizeBytes = 0;
      for await (const piece of body) {
        sizeBytes += piece.length;
        await sink([piece]);
      }
      return sizeBytes;
    },
  };
}
