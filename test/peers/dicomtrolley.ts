import { join } from "node:path";
import type { InstanceReference } from "../../src/network/ihe/request.ts";
import { runProgram } from "./process.ts";
import { findPythonPeers } from "./python-peers.ts";

export const DICOMTROLLEY_SCRIPT = join(import.meta.dirname, "dicomtrolley-download.py");

export interface TrolleyDownload {
  readonly came: readonly string[];
  /** The name of the exception that ended it. */
  readonly failure: string | null;
}

/** Downloads with dicomtrolley's RAD-69 client into a folder: a request for each series, one for all, or four at once. */
export async function downloadWithTrolley(
  url: string,
  folder: string,
  instances: readonly InstanceReference[],
  how: "series" | "single" | "async" = "series",
): Promise<TrolleyDownload> {
  const python = findPythonPeers();
  if (python === undefined) throw new Error("dicomtrolley is not installed");
  const uids = instances.flatMap((one) => [one.studyInstanceUid, one.seriesInstanceUid, one.sopInstanceUid]);
  const { output } = await runProgram(python, [DICOMTROLLEY_SCRIPT, url, folder, how, ...uids], folder);
  const document: TrolleyDownload = JSON.parse(output.trim().split("\n").at(-1) ?? "");
  return document;
}
