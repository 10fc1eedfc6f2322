import { isUid } from "../uid.ts";
import { storageSopClasses } from "./sop-classes.ts";
import { transferSyntaxes } from "./transfer-syntaxes.ts";

/** PS3.6 table A-1. */
const VERIFICATION = ["Verification", "1.2.840.10008.1.1"] as const;

const sopClassUids: ReadonlyMap<string, string> = new Map([VERIFICATION, ...Object.entries(storageSopClasses)]);
const transferSyntaxUids: ReadonlyMap<string, string> = new Map(
  [...transferSyntaxes.values()].map(({ keyword, uid }) => [keyword, uid]),
);

/** The UID that a keyword of storage or verification stands for, or that is written itself; undefined for anything else. */
export function sopClassUidOf(text: string): string | undefined {
  return sopClassUids.get(text) ?? (isUid(text) ? text : undefined);
}

/** By keyword or UID; undefined for one that is not in the table. */
export function transferSyntaxUidOf(text: string): string | undefined {
  return transferSyntaxUids.get(text) ?? (transferSyntaxes.has(text) ? text : undefined);
}
