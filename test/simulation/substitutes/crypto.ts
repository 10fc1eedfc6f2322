/** What the product has for `node:crypto` while it is simulated: the seed's chance in the place of the system's. */
import * as real from "node:crypto";
import { isSimulating, theMachine } from "../machine.ts";

export * from "node:crypto";

const VERSION_AT = 6;
const VARIANT_AT = 8;

export function randomBytes(count: number): Buffer {
  if (!isSimulating()) return real.randomBytes(count);
  return Buffer.from(theMachine().scheduler.random.bytes(count));
}

/** Version 4. RFC 9562 5.4. */
export function randomUUID(): string {
  if (!isSimulating()) return real.randomUUID();
  const bytes = randomBytes(16);
  bytes[VERSION_AT] = ((bytes[VERSION_AT] ?? 0) & 0x0f) | 0x40;
  bytes[VARIANT_AT] = ((bytes[VARIANT_AT] ?? 0) & 0x3f) | 0x80;
  return bytes.toString("hex").replace(/^(.{8})(.{4})(.{4})(.{4})/, "$1-$2-$3-$4-");
}

export function randomInt(limit: number): number {
  if (!isSimulating()) return real.randomInt(limit);
  return Math.floor(theMachine().scheduler.random.next() * limit);
}
