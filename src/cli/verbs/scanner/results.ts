import { constants, copyFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { GatewayError } from "../../../errors/gateway-error.ts";
import { judgeScanFile, scanResultOf } from "../../../operations/scan-results.ts";
import type { ScanFileVerdict } from "../../../operations/scanner-operations.ts";
import { syncFile, syncFolder } from "../../../units/durable-files.ts";
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
    const target = join(folder, name);
    await copyFile(join(result.directory, name), target, constants.COPYFILE_EXCL | constants.COPYFILE_FICLONE);
    const copy = await desk.files.sumOf(target);
    if (copy.sha256 !== verdict.sha256) throw new GatewayError("SCAN_RESULT_DAMAGED", { verdict: "copy differs" });
    await syncFile(target);
    fetched.push(verdict);
  }
  await syncFolder(folder);
  await cli.printer.document({ id, folder, files: fetched }, () => fetched.map(({ name }) => join(folder, name)));
  return EXIT.fine;
}
