import { UID_LINES } from "./uids.generated.ts";

const REGISTERED: ReadonlySet<string> = new Set(UID_LINES.trim().split("\n"));
/** A context group's number stands behind their root. PS3.6 table A-3. */
const CONTEXT_GROUP = /^1\.2\.840\.10008\.6\.1\.(?:[1-9][0-9]{0,2}|1[0-9]{3})$/;

/** Whether PS3.6 annex A lists a UID. Others below the root of DICOM were made up, and may tell something. */
export function isRegisteredUid(uid: string): boolean {
  return REGISTERED.has(uid) || CONTEXT_GROUP.test(uid);
}
