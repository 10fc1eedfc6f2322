import { randomUUID } from "node:crypto";
import { constants, copyFile, rename, rm } from "node:fs/promises";
import { basename, dirname, join, resolve } from "node:path";
import { GatewayError } from "../../../errors/gateway-error.ts";
import type { ScannerDesk } from "../../../gateway/open-scanner-desk.ts";
import { judgeScanFile, noteGivenOut, scanResultOf } from "../../../operations/scan-results.ts";
import type { ScanFileVerdict } from "../../../operations/scanner-operations.ts";
import { isThere, syncFile, syncFolder, systemCodeOf } from "../../../units/durable-files.ts";
import { makeFolders } from "../../../units/make-folders.ts";
import type { Cli } from "../../cli.ts";
import { EXIT, type ExitCode } from "../../exit-codes.ts";
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

/** What lies there whole, as one that was cut off left it, counts as fetched. */
export async function fetchResult(cli: Cli, id: string, { out }: FetchOptions): Promise<ExitCode> {
  await using desk = await openDesk(cli);
  const result = await scanResultOf(desk.context, id);
  const folder = resolve(cli.world.workingFolder, out);
  const isRehearsal = cli.isRehearsal();
  if (!isRehearsal) {
    await noteGivenOut(desk.context, id);
    await makeFolders(folder).catch(notWritable);
  }
  const fetched: ScanFileVerdict[] = [];
  for (const name of result.files) {
    const verdict = await judgeScanFile(desk.context, result, name);
    if (verdict.verdict === "changed" || verdict.verdict === "missing")
      throw new GatewayError("SCAN_RESULT_DAMAGED", { verdict: verdict.verdict });
    if (!isRehearsal) await copyWhole(desk, join(result.directory, name), join(folder, name), verdict);
    fetched.push(verdict);
  }
  if (!isRehearsal) await syncFolder(folder);
  await cli.printer.document({ id, folder, files: fetched }, () => fetched.map(({ name }) => join(folder, name)));
  return EXIT.fine;
}

/**
 * Whole before it gets its name. What was fetched before is left as it is, and another file is not replaced.
 * @throws GatewayError FILE_NOT_WRITABLE, SCAN_RESULT_DAMAGED
 */
async function copyWhole(
  { files }: Pick<ScannerDesk, "files">,
  from: string,
  to: string,
  { sha256 }: ScanFileVerdict,
): Promise<void> {
  if (await isThere(to)) {
    if ((await files.sumOf(to)).sha256 === sha256) return;
    throw new GatewayError("FILE_NOT_WRITABLE", { reason: "EEXIST" });
  }
  const temporary = join(dirname(to), `.${basename(to)}.${randomUUID()}.part`);
  try {
    await copyFile(from, temporary, constants.COPYFILE_EXCL | constants.COPYFILE_FICLONE).catch(notWritable);
    const copy = await files.sumOf(temporary);
    if (copy.sha256 !== sha256) throw new GatewayError("SCAN_RESULT_DAMAGED", { verdict: "copy differs" });
    await syncFile(temporary).catch(notWritable);
    await rename(temporary, to).catch(notWritable);
  } finally {
    await rm(temporary, { force: true });
  }
}

function notWritable(thrown: unknown): never {
  const reason = systemCodeOf(thrown);
  throw reason === undefined ? thrown : new GatewayError("FILE_NOT_WRITABLE", { reason }, thrown);
}
