import { z } from "zod";
import type { HttpClient } from "../../http-client/types.ts";
import { alsoAccepts, askTable, askText } from "./ask.ts";
import { xnatPath } from "./paths.ts";

const scanRow = z.object({ ID: z.string(), xsiType: z.string().optional() });

/** @param session path of a session of archive or prearchive */
export function listScans(client: HttpClient, session: string, signal: AbortSignal) {
  return askTable(client, scanRow, { path: `${session}/scans`, signal });
}

const OTHER_SCAN = "xnat:otherDicomScanData";

/** Session types whose scans have a type of their own name, but for these. */
const SCAN_TYPES: ReadonlyMap<string, string> = new Map([
  ["xnat:petmrSessionData", "xnat:petScanData"],
  ["xnat:otherDicomSessionData", OTHER_SCAN],
]);
const OWN_SCANS: ReadonlySet<string> = new Set(
  [
    "cr",
    "ct",
    "dx",
    "dx3DCraniofacial",
    "ecg",
    "eeg",
    "eps",
    "es",
    "gm",
    "hd",
    "io",
    "meg",
    "mg",
    "mr",
    "nm",
    "op",
    "opt",
    "pet",
    "rf",
    "rt",
    "sr",
    "sm",
    "us",
    "xa",
    "xc",
  ].map((modality) => `xnat:${modality}SessionData`),
);

/** The type that a new scan of such a session gets. */
export function scanTypeFor(sessionType: string): string {
  const own = OWN_SCANS.has(sessionType) ? sessionType.replace(/SessionData$/, "ScanData") : OTHER_SCAN;
  return SCAN_TYPES.get(sessionType) ?? own;
}

/**
 * Makes sure that the session has the scan. One that is there is left as it is: from 1.8.6 XNAT answers 409 to another type, before it
 * would have changed it.
 */
export async function ensureScan(
  client: HttpClient,
  session: { readonly path: string; readonly xsiType: string },
  scan: string,
  signal: AbortSignal,
): Promise<"made" | "exists"> {
  const path = xnatPath(`${session.path}/scans`, scan);
  if ((await listScans(client, session.path, signal)).some(({ ID }) => ID === scan)) return "exists";
  const query = [["xsiType", scanTypeFor(session.xsiType)]] as const;
  // Somebody may have been faster.
  const { status } = await askText(client, { method: "PUT", path, query, accepts: alsoAccepts(409), signal });
  return status === 409 ? "exists" : "made";
}
