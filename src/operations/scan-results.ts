import { open, realpath } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { checkFileName, isWithin, PARAMETER_FILE } from "../acquisition/file-names.ts";
import { isAsNamed, signatureOf } from "../acquisition/signatures.ts";
import { GatewayError, toGatewayError } from "../errors/gateway-error.ts";
import type { ScanResult } from "../store/acquisitions.ts";
import { isMissing } from "../units/durable-files.ts";
import { isoTime } from "./describe.ts";
import type {
  OpenScanFile,
  ScanFileVerdict,
  ScannerContext,
  ScanResultDocument,
  ScanResultVerdictDocument,
  ScanResultWish,
} from "./scanner-operations.ts";

const PAGE = 500;

/** What the gateway wrote into a result's `meta`. */
const ourMeta = z.object({ gateway: z.object({ sha256: z.string() }) });

export async function* listScanResults(
  { store }: ScannerContext,
  { task, after: first }: ScanResultWish,
): AsyncGenerator<ScanResultDocument> {
  let after = first;
  for (;;) {
    const page = await store.listScanResults({
      ...(task === undefined ? {} : { taskId: task }),
      ...(after === undefined ? {} : { after }),
      limit: PAGE,
    });
    yield* page.map(describeResult);
    after = page.at(-1)?.id;
    if (page.length < PAGE) return;
  }
}

function describeResult(result: ScanResult): ScanResultDocument {
  const { id, taskId: task, type, directory, files, createdAtMs } = result;
  return { id, task, type, directory, files, sha256: sumOf(result) ?? null, createdAt: isoTime(createdAtMs) };
}

function sumOf({ meta }: ScanResult): string | undefined {
  const parsed = ourMeta.safeParse(meta === undefined ? undefined : JSON.parse(meta));
  return parsed.success ? parsed.data.gateway.sha256 : undefined;
}

/**
 * A result whose files may be read: devices and programs say where results lie, and may say it of anything.
 * @throws GatewayError SCAN_RESULT_NOT_FOUND, SCAN_RESULT_UNFIT when it is blank or lies elsewhere, SCAN_FILE_NAME_UNSAFE
 */
export async function scanResultOf({ store, scanFiles }: ScannerContext, id: string): Promise<ScanResult> {
  const result = await store.scanResult(id);
  if (result === undefined) throw new GatewayError("SCAN_RESULT_NOT_FOUND");
  if (result.directory === "") throw new GatewayError("SCAN_RESULT_UNFIT", { type: result.type });
  for (const file of result.files) if (file !== PARAMETER_FILE) checkFileName(file);
  await checkReach(result, await scanFiles.lake());
  return result;
}

async function checkReach({ directory, files }: ScanResult, lake: string | undefined): Promise<void> {
  if (lake === undefined) return;
  const real = await realpath(lake).catch(() => lake);
  for (const path of [directory, ...files.map((file) => join(directory, file))]) {
    const target = await realpath(path).catch(() => path);
    if (!isWithin(real, target) && !(target === path && isWithin(lake, path)))
      throw new GatewayError("SCAN_RESULT_UNFIT", { problem: "it lies outside of the data lake" });
  }
}

export async function judgeScanFile(
  { scanFiles }: ScannerContext,
  result: ScanResult,
  name: string,
): Promise<ScanFileVerdict> {
  try {
    const { sizeBytes, sha256, head } = await scanFiles.sumOf(join(result.directory, name));
    const known = name === PARAMETER_FILE ? undefined : sumOf(result);
    if (known === undefined) return { name, sizeBytes, sha256, verdict: "unknown" };
    if (known !== sha256) return { name, sizeBytes, sha256, verdict: "changed" };
    return { name, sizeBytes, sha256, verdict: isAsNamed(name, signatureOf(head)) ? "same" : "misnamed" };
  } catch (thrown) {
    if (toGatewayError(thrown).code !== "SCAN_RESULT_DAMAGED") throw thrown;
    return { name, sizeBytes: null, sha256: null, verdict: "missing" };
  }
}

export async function verifyScanResult(context: ScannerContext, id: string): Promise<ScanResultVerdictDocument> {
  const result = await scanResultOf(context, id);
  const files: ScanFileVerdict[] = [];
  for (const name of result.files) files.push(await judgeScanFile(context, result, name));
  const whole = files.every(({ verdict }) => verdict === "same" || verdict === "unknown");
  return { id, whole, files };
}

/** To be written down before anything of a result's files is given out. */
export async function noteGivenOut({ audit, actor }: ScannerContext, result: string): Promise<void> {
  await audit.record({ event: "scan-file-given-out", actor, outcome: "success", detail: { result } });
}

export async function openScanFile(context: ScannerContext, id: string, name: string): Promise<OpenScanFile> {
  const result = await scanResultOf(context, id);
  if (!result.files.includes(name)) throw new GatewayError("SCAN_RESULT_NOT_FOUND");
  const file = await open(join(result.directory, name), "r").catch((thrown: unknown) => {
    throw isMissing(thrown) ? new GatewayError("SCAN_RESULT_DAMAGED", {}, thrown) : thrown;
  });
  try {
    const facts = await file.stat();
    if (!facts.isFile()) throw new GatewayError("SCAN_RESULT_UNFIT", { type: result.type });
    await noteGivenOut(context, id);
    const sha256 = name === PARAMETER_FILE ? undefined : sumOf(result);
    return { name, sizeBytes: facts.size, sha256, content: file.createReadStream() };
  } catch (thrown) {
    await file.close();
    throw thrown;
  }
}
