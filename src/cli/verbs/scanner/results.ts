import { constants, copyFile, mkdir, readdir, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { PARAMETER_FILE } from "../../../acquisition/file-names.ts";
import { signatureOf } from "../../../acquisition/signatures.ts";
import { tags } from "../../../dicom/dictionary/tags.ts";
import { readPart10File } from "../../../dicom/reader.ts";
import { parseStudyInstanceUid } from "../../../dicom/uid.ts";
import { uidOf } from "../../../dicom/values.ts";
import { GatewayError } from "../../../errors/gateway-error.ts";
import { judgeScanFile, scanResultOf } from "../../../operations/scan-results.ts";
import type { ScanFileVerdict } from "../../../operations/scanner-operations.ts";
import { isMissing, syncFile, syncFolder } from "../../../units/durable-files.ts";
import type { Cli } from "../../cli.ts";
import { EXIT, type ExitCode } from "../../exit-codes.ts";
import { openGateway } from "../../gateway-session.ts";
import { openDesk, printRows } from "./desk.ts";

export interface ResultListOptions {
  readonly task?: string;
}
export interface FetchOptions {
  readonly out: string;
}
export interface SubmitOptions {
  readonly project: string;
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
  await mkdir(folder, { recursive: true });
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

/** The studies are known by their UIDs from here on; their files come from the lake, by an archive of kind folder. */
export async function submitResult(cli: Cli, id: string, { project }: SubmitOptions): Promise<ExitCode> {
  const studies = await studiesOf(cli, id);
  await using gateway = await openGateway(cli, "client");
  const file = await cohortFile(cli, studies);
  const document = await gateway.operations.submitCohort(file, project);
  await cli.printer.document({ result: id, ...document }, () => [
    `${document.cohort}: ${document.accepted} of ${studies.length} studies accepted`,
  ]);
  return EXIT.fine;
}

/** @throws GatewayError SCAN_RESULT_UNFIT when no file of it is DICOM */
async function studiesOf(cli: Cli, id: string): Promise<readonly string[]> {
  await using desk = await openDesk(cli);
  const result = await scanResultOf(desk.context, id);
  const studies = new Set<string>();
  for (const name of await readdir(result.directory).catch(unlessMissing)) {
    if (!result.files.includes(name) || name === PARAMETER_FILE) continue;
    const path = join(result.directory, name);
    const { head } = await desk.files.sumOf(path);
    if (signatureOf(head) === "dicom") studies.add(await studyOf(path));
  }
  if (studies.size === 0) throw new GatewayError("SCAN_RESULT_UNFIT", { type: result.type });
  return [...studies];
}

async function studyOf(path: string): Promise<string> {
  await using file = await readPart10File(path, { stopBefore: tags.PixelData });
  const { dataSet } = file;
  return parseStudyInstanceUid(uidOf(dataSet, tags.StudyInstanceUID) ?? "");
}

function unlessMissing(thrown: unknown): readonly string[] {
  if (isMissing(thrown)) return [];
  throw thrown;
}

/** In the home, for its owner alone: a study's UID says whose it is. */
async function cohortFile(cli: Cli, studies: readonly string[]): Promise<string> {
  const folder = join(cli.world.environment.RADFERRY_HOME || "/var/lib/radferry", "submitted-results");
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const path = join(folder, `result-${cli.world.clock.nowMs()}.csv`);
  await writeFile(path, `study_instance_uid\n${studies.join("\n")}\n`, { mode: 0o600 });
  return path;
}
