import type { Pieces } from "../http-client/body-queue.ts";
import { type MultipartPart, pipeGathered, pipeLent } from "./reader.ts";

/** A body that is one instance alone, without multipart around it, as if it were a part. */
export function wholeBody(body: Pieces): Pick<MultipartPart, "body" | "pipe"> {
  return {
    body,
    async pipe(sink) {
      const borrowed = body.borrow?.();
      const pieces = borrowed ?? body[Symbol.asyncIterator]();
      const pipe = borrowed === undefined ? pipeGathered : pipeLent;
      try {
        return await pipe(async () => {
          const { done, value } = await pieces.next();
          return done === true ? undefined : value;
        }, sink);
      } finally {
        await pieces.return?.();
      }
    },
  };
}
