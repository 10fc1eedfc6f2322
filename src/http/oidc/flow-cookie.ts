import { createCipheriv, createDecipheriv } from "node:crypto";
import { z } from "zod";
import type { Clock } from "../../units/clock.ts";
import type { Random } from "../../units/random.ts";
import type { LogInSecrets } from "./issuer.ts";

/** People type passwords and look for their second factor. */
export const LOG_IN_MS = 600_000;

const CIPHER = "aes-256-gcm";
const KEY_BYTES = 32;
/** NIST SP 800-38D 8.2.1. */
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
const LONGEST = 2_048;

const sealed = z.strictObject({ state: z.string(), nonce: z.string(), verifier: z.string(), endsAtMs: z.number() });

/** Keeps what belongs to a log-in with the browser that began it, so that nobody fills the gateway's memory by beginning. */
export interface FlowCookies {
  seal(secrets: LogInSecrets): string;
  /** Undefined: not one of ours; `expired`: it took too long. */
  open(text: string): LogInSecrets | "expired" | undefined;
}

/** The key lives as long as the process: a log-in under way at a restart is begun anew. */
export function createFlowCookies({
  clock,
  random,
}: {
  readonly clock: Pick<Clock, "nowMs">;
  readonly random: Random;
}): FlowCookies {
  const key = random.bytes(KEY_BYTES);
  return {
    seal(secrets) {
      const nonce = random.bytes(NONCE_BYTES);
      const cipher = createCipheriv(CIPHER, key, nonce);
      const text = JSON.stringify({ ...secrets, endsAtMs: clock.nowMs() + LOG_IN_MS });
      const body = [cipher.update(text, "utf8"), cipher.final()];
      return Buffer.concat([nonce, ...body, cipher.getAuthTag()]).toString("base64url");
    },
    open(text) {
      const bytes = Buffer.from(text.slice(0, LONGEST), "base64url");
      if (bytes.length <= NONCE_BYTES + TAG_BYTES) return undefined;
      const decipher = createDecipheriv(CIPHER, key, bytes.subarray(0, NONCE_BYTES));
      decipher.setAuthTag(bytes.subarray(-TAG_BYTES));
      try {
        const body = [decipher.update(bytes.subarray(NONCE_BYTES, -TAG_BYTES)), decipher.final()];
        const { endsAtMs, ...secrets } = sealed.parse(JSON.parse(Buffer.concat(body).toString("utf8")));
        return clock.nowMs() >= endsAtMs ? "expired" : secrets;
      } catch {
        return undefined;
      }
    },
  };
}
