import { createHash, timingSafeEqual } from "node:crypto";

/**
 * Whether a header's value is the secret. The time it takes tells nothing of the secret. Node reads headers as Latin-1, while clients and
 * files write a secret in UTF-8: its bytes are compared, so that it may have characters beyond ASCII.
 */
export function isSecretInHeader(value: string, secret: string): boolean {
  const digest = (bytes: Buffer): Buffer => createHash("sha256").update(bytes).digest();
  return timingSafeEqual(digest(Buffer.from(value, "latin1")), digest(Buffer.from(secret, "utf8")));
}
