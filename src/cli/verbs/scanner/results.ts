import { randomUUID } from "node:crypto";
import { constants, copyFile, rename, rm } from "node:fs/promises";
import { basename, dirname, join, resolve } from "node:path";
import { GatewayError } from "../../../errors/gateway-error.ts";
import type { ScannerDesk } from "../../../gateway/open-scanner-desk.ts";
import { judgeScanFile, scanResultOf } from "../../../operations/scan-results.ts";
import type { ScanFileVerdict } from "../../../operations/scanner-operations.ts";
import { syncFile, syncFolder } from "../../../units/durable-files.ts";
import { makeFolders } from "../../../units/make-folders.ts";
import type { Cli } from "../../cli.ts";
import { EXIT, type ExitCode } from "../../exit-codes.ts";
import { isSystemError, isThere } from "../../write-whole-file.ts";
import { openDesk, printRows } from "./desk.ts";

export interface ResultListOptions {
  readonly task?: string;
}
export interface FetchOptions {
  readonly out: string;
}

export async function listResults(cli: Cli, filter: ResultListOptions): Promise<ExitCode> {
  await using desk = await openDesk(cli);
  await printRows(cli, desk.operations.listScanResults(filter), ["ID", "TASK", "TYPE", "FILES"], (result) => [
    result.id,
    result.task,
    result.type,
    result.files.join(", "),
  ]);
  return EXIT.fine;
}

export async function verifyResult(cli: Cli, id: string): Promise<ExitCode> {
  await using desk = await openDesk(cli);
  const document = await desk.operations.verifyScanResult(id);
  await cli.printer.document(document, () =>
    document.files.map(({ name, verdict, sha256 }) => `${verdict.padEnd(8)}  ${name}  ${sha256 ?? ""}`.trimEnd()),
  );
  return document.whole ? EXIT.fine : EXIT.failed;
}

export async function fetchResult(cli: Cli, id: string, { out }: FetchOptions): Promise<ExitCode> {
  await using desk = await openDesk(cli);
  const result = await scanResultOf(desk.context, id);
  const folder = resolve(cli.world.workingFolder, out);
  await makeFolders(folder);
  const fetched: ScanFileVerdict[] = [];
  for (const name of result.files) {
    const verdict = await judgeScanFile(desk.context, result, name);
    if (verdict.verdict === "changed" || verdict.verdict === "missing")
      throw new GatewayError("SCAN_RESULT_DAMAGED", { verdict: verdict.verdict });
    await fetchFile(desk.files, join(result.directory, name), { target: join(folder, name), sha256: verdict.sha256 });
    fetched.push(verdict);
  }
  await syncFolder(folder);
  await cli.printer.document({ id, folder, files: fetched }, () => fetched.map(({ name }) => join(folder, name)));
  return EXIT.fine;
}

/**
 * Whole before it gets its name. What was fetched before is left as it is, and another file is not replaced.
 * @throws GatewayError FILE_NOT_WRITABLE, SCAN_RESULT_DAMAGED
 */
async function fetchFile(
  files: ScannerDesk["files"],
  from: string,
  { target, sha256 }: { readonly target: string; readonly sha256: string | null },
): Promise<void> {
  if (await isThere(target)) {
    if ((await files.sumOf(target)).sha256 === sha256) return;
    throw new GatewayError("FILE_NOT_WRITABLE", { reason: "EEXIST" });
  }
  const temporary = join(dirname(target), `.${basename(target)}.${randomUUID()}.part`);
  try {
    await copyFile(from, temporary, constants.COPYFILE_EXCL | constants.COPYFILE_FICLONE);
    const copy = await files.sumOf(temporary);
    if (copy.sha256 !== sha256) throw new GatewayError("SCAN_RESULT_DAMAGED", { verdict: "copy differs" });
    await syncFile(temporary);
    await rename(temporary, target);
  } catch (thrown) {
    await rm(temporary, { force: true });
    throw isSystemError(thrown) ? new GatewayError("FILE_NOT_WRITABLE", { reason: thrown.code }, thrown) : thrown;
  }
}
