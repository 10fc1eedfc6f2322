import { createHmac } from "node:crypto";
import type { Random } from "../../../units/random.ts";

/** Stands for a UID in the log: the same for the same UID as long as the process lives, and nobody can tell which. */
export type Reference = (uid: string) => string;

const KEY_BYTES = 32;
const LENGTH = 12;

export function createReferences(random: Random): Reference {
  const key = random.bytes(KEY_BYTES);
  return (uid) => createHmac("sha256", key).update(uid).digest("hex").slice(0, LENGTH);
}
