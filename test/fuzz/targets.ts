import { deidTarget } from "./deid-target.ts";
import { parseTarget } from "./parse-target.ts";
import { pduTarget } from "./pdu-target.ts";
import type { FuzzTarget } from "./target.ts";

/** What `npm run fuzz` can be told to fuzz. */
export const TARGETS: readonly FuzzTarget[] = [parseTarget, pduTarget, deidTarget];
