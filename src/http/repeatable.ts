import { createHash } from "node:crypto";
import { GatewayError } from "../errors/gateway-error.ts";
import type { RepeatableRequest } from "../store/access.ts";
import type { ApiServices } from "./services.ts";
import { RequestError } from "./validation.ts";

export const IDEMPOTENCY_HEADER = "idempotency-key";
const KEY = /^[\x21-\x7e]{1,255}$/;
/** Longer answers than this are refused to be repeated rather than kept. */
const KEPT_CHARACTERS = 512 * 1_024;

export interface Answer {
  readonly status: number;
  readonly body: string;
}

export interface Repeatable {
  readonly key: unknown;
  readonly asker: string;
  /** All that was asked: method, address, digest of the body. */
  readonly asked: readonly string[];
}

/**
 * Carries a request out once for each key of its asker; whoever asks again is given the first answer. What failed may be tried again.
 * @throws GatewayError IDEMPOTENCY_KEY_REUSED, IDEMPOTENCY_UNFINISHED, RequestError for a key that is none
 */
export async function answeredOnce(
  { store, clock }: Pick<ApiServices, "store" | "clock">,
  { key, asker, asked }: Repeatable,
  carryOut: () => Promise<Answer>,
): Promise<Answer & { readonly isRepeated: boolean }> {
  if (key === undefined) return { ...(await carryOut()), isRepeated: false };
  if (typeof key !== "string" || !KEY.test(key))
    throw new RequestError([{ in: "header", at: "IdempotencyKey", message: "must be 1 to 255 printable characters" }]);
  const digest = createHash("sha256").update(JSON.stringify(asked)).digest("hex");
  const request: RepeatableRequest = { asker, key, digest };
  const begun = await store.beginRequest(request, clock.nowMs());
  if (begun.kind === "other") throw new GatewayError("IDEMPOTENCY_KEY_REUSED");
  if (begun.kind === "unfinished") throw new GatewayError("IDEMPOTENCY_UNFINISHED");
  if (begun.kind === "answered") return { status: begun.status, body: begun.body, isRepeated: true };
  try {
    const answer = await carryOut();
    // Left unfinished, it is not carried out twice.
    if (answer.body.length <= KEPT_CHARACTERS) await store.endRequest(request, answer);
    return { ...answer, isRepeated: false };
  } catch (thrown) {
    await store.endRequest(request, undefined);
    throw thrown;
  }
}
