import { type MultipartPart, pipeGathered } from "./reader.ts";

/** A body that is one instance alone, without multipart around it, as if it were a part. */
export function wholeBody(body: AsyncIterable<Uint8Array>): Pick<MultipartPart, "body" | "pipe"> {
  return {
    body,
    async pipe(sink) {
      const pieces = body[Symbol.asyncIterator]();
      try {
        return await pipeGathered(async () => {
          const { done, value } = await pieces.next();
          return done === true ? undefined : value;
        }, sink);
      } finally {
        await pieces.return?.();
      }
    },
  };
}
