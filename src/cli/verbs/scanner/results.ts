import { constants, copyFile, mkdir, readdir, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { z } from "zod";
import { checkFileName, PARAMETER_FILE } from "../../../acquisition/file-names.ts";
import { isAsNamed, signatureOf } from "../../../acquisition/signatures.ts";
import { tags } from "../../../dicom/dictionary/tags.ts";
import { readPart10File } from "../../../dicom/reader.ts";
import { parseStudyInstanceUid } from "../../../dicom/uid.ts";
import { uidOf } from "../../../dicom/values.ts";
import { GatewayError, toGatewayError } from "../../../errors/gateway-error.ts";
import type { ScannerDesk } from "../../../gateway/open-scanner-desk.ts";
import type { ScanResult } from "../../../store/acquisitions.ts";
import { isMissing, syncFile, syncFolder } from "../../../units/durable-files.ts";
import type { Cli } from "../../cli.ts";
import { EXIT, type ExitCode } from "../../exit-codes.ts";
import { openGateway } from "../../gateway-session.ts";
import { isoTime, openDesk, PAGE, printRows } from "./desk.ts";

export interface ResultListOptions {
  readonly task?: string;
}
export interface FetchOptions {
  readonly out: string;
}
export interface SubmitOptions {
  readonly project: string;
}

/** What the gateway wrote into a result's `meta`. */
const ourMeta = z.object({
  gateway: z.object({ sha256: z.string(), size_bytes: z.number(), signature: z.string() }),
});

function documentOf(result: ScanResult) {
  const { id, taskId: task, type, directory, files, createdAtMs } = result;
  return { id, task, type, directory, files, sha256: sumOf(result) ?? null, createdAt: isoTime(createdAtMs) };
}

function sumOf({ meta }: ScanResult): string | undefined {
  const parsed = ourMeta.safeParse(meta === undefined ? undefined : JSON.parse(meta));
  return parsed.success ? parsed.data.gateway.sha256 : undefined;
}

export async function listResults(cli: Cli, { task }: ResultListOptions): Promise<ExitCode> {
  await using desk = await openDesk(cli);
  const tasks = task === undefined ? await desk.store.listScanTasks({ limit: PAGE }) : [{ id: task }];
  const results: ScanResult[] = [];
  for (const { id } of tasks) results.push(...(await desk.store.scanResults(id)));
  await printRows(cli, results.map(documentOf), ["ID", "TASK", "TYPE", "FILES"], (result) => [
    result.id,
    result.task,
    result.type,
    result.files.join(", "),
  ]);
  return EXIT.fine;
}

/** @throws GatewayError SCAN_RESULT_NOT_FOUND, SCAN_RESULT_UNFIT when it is blank */
async function resultOf({ store }: ScannerDesk, id: string): Promise<ScanResult> {
  const result = await store.scanResult(id);
  if (result === undefined) throw new GatewayError("SCAN_RESULT_NOT_FOUND");
  if (result.directory === "") throw new GatewayError("SCAN_RESULT_UNFIT", { type: result.type });
  for (const file of result.files) if (file !== PARAMETER_FILE) checkFileName(file);
  return result;
}

interface Verdict {
  readonly name: string;
  readonly sizeBytes: number | null;
  readonly sha256: string | null;
  /** `unknown`: nobody wrote down what it was; `misnamed`: whole, and not what its name says. */
  readonly verdict: "same" | "changed" | "missing" | "unknown" | "misnamed";
}

async function judge({ files }: ScannerDesk, result: ScanResult, name: string): Promise<Verdict> {
  const none = { name, sizeBytes: null, sha256: null };
  try {
    const { sizeBytes, sha256, head } = await files.sumOf(join(result.directory, name));
    const known = name === PARAMETER_FILE ? undefined : sumOf(result);
    if (known === undefined) return { name, sizeBytes, sha256, verdict: "unknown" };
    if (known !== sha256) return { name, sizeBytes, sha256, verdict: "changed" };
    return { name, sizeBytes, sha256, verdict: isAsNamed(name, signatureOf(head)) ? "same" : "misnamed" };
  } catch (thrown) {
    if (toGatewayError(thrown).code !== "SCAN_RESULT_DAMAGED") throw thrown;
    return { ...none, verdict: "missing" };
  }
}

export async function verifyResult(cli: Cli, id: string): Promise<ExitCode> {
  await using desk = await openDesk(cli);
  const result = await resultOf(desk, id);
  const files: Verdict[] = [];
  for (const name of result.files) files.push(await judge(desk, result, name));
  const isWhole = files.every(({ verdict }) => verdict === "same" || verdict === "unknown");
  await cli.printer.document({ id, whole: isWhole, files }, () =>
    files.map(({ name, verdict, sha256 }) => `${verdict.padEnd(8)}  ${name}  ${sha256 ?? ""}`.trimEnd()),
  );
  return isWhole ? EXIT.fine : EXIT.failed;
}

export async function fetchResult(cli: Cli, id: string, { out }: FetchOptions): Promise<ExitCode> {
  await using desk = await openDesk(cli);
  const result = await resultOf(desk, id);
  const folder = resolve(cli.world.workingFolder, out);
  await mkdir(folder, { recursive: true });
  const fetched: Verdict[] = [];
  for (const name of result.files) {
    const verdict = await judge(desk, result, name);
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
  const result = await resultOf(desk, id);
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
