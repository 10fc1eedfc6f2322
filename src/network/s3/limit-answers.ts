import { pipeline, Readable } from "node:stream";
import type { S3Client } from "@aws-sdk/client-s3";
import { GatewayError } from "../../errors/gateway-error.ts";
import { limitedTo } from "../file-transfer/file-session.ts";

/** A page of a listing has a thousand keys of a kilobyte at most, and as much about each. */
const LONGEST_ANSWER_BYTES = 16 * 2 ** 20;
const FIRST_OF_FAILURES = 300;

/** The library takes every answer whole before it reads it, however long it is; of an object alone it gives the bytes as they come. */
export function limitAnswers(client: S3Client): void {
  client.middlewareStack.add(
    (next, { commandName }) =>
      async (asked) => {
        const answered = await next(asked);
        limitBody(answered.response, commandName === "GetObjectCommand");
        return answered;
      },
    // Next to the connection: before anything is read.
    { step: "deserialize", priority: "low" },
  );
}

function limitBody(response: unknown, isObject: boolean): void {
  if (typeof response !== "object" || response === null || !("body" in response)) return;
  const isSuccess = "statusCode" in response && Number(response.statusCode) < FIRST_OF_FAILURES;
  if (!(response.body instanceof Readable) || (isObject && isSuccess)) return;
  const limited = limitedTo(LONGEST_ANSWER_BYTES, () => new GatewayError("S3_REFUSED", { what: "length" }));
  // Who reads hears of every end.
  response.body = pipeline(response.body, limited, () => undefined);
}
