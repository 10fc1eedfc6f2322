import { resolve, sep } from "node:path";
import { GatewayError } from "../errors/gateway-error.ts";

/** The longest name of ext4, XFS and most others. */
const MAXIMUM_NAME_BYTES = 255;
const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;
/** What ScanHub's own services make of a task without a workflow. */
const NO_WORKFLOW = "None";

/** Lies beside each file. */
export const PARAMETER_FILE = "device_parameter.json";

/** One name of a file in one folder, on every system that reads it later. @throws GatewayError SCAN_FILE_NAME_UNSAFE */
export function checkFileName(name: string): void {
  const isUnsafe =
    name === "" ||
    name === "." ||
    name === ".." ||
    /[/\\\p{Cc}]/u.test(name) ||
    /^[A-Za-z]:/.test(name) ||
    name.trim() !== name ||
    name.toLowerCase() === PARAMETER_FILE ||
    // A lone surrogate would come back from the disk as another name.
    !name.isWellFormed() ||
    Buffer.byteLength(name, "utf8") > MAXIMUM_NAME_BYTES;
  if (isUnsafe) throw new GatewayError("SCAN_FILE_NAME_UNSAFE");
}

export function isUuid(text: string): boolean {
  return UUID.test(text);
}

export interface ResultPlace {
  readonly workflowId: string | undefined;
  readonly taskId: string;
  readonly resultId: string;
}

/** {lake}/{workflow}/{task}/{result}, without a slash at its end. @throws GatewayError SCAN_FILE_NAME_UNSAFE when an id is none */
export function resultFolder(lake: string, { workflowId, taskId, resultId }: ResultPlace): string {
  const ids = [workflowId, taskId, resultId].filter((id) => id !== undefined);
  if (!ids.every(isUuid)) throw new GatewayError("SCAN_FILE_NAME_UNSAFE", { what: "id" });
  return resolve(lake, workflowId ?? NO_WORKFLOW, taskId, resultId);
}

/** Whether a folder lies within the lake. */
export function isWithin(lake: string, folder: string): boolean {
  return resolve(folder).startsWith(resolve(lake) + sep);
}
