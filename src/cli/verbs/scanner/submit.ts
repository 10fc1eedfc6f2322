import { mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PARAMETER_FILE } from "../../../acquisition/file-names.ts";
import { signatureOf } from "../../../acquisition/signatures.ts";
import { resultFilesIn } from "../../../delivery/results/local-files.ts";
import { uploadResults } from "../../../delivery/results/upload-results.ts";
import { tags } from "../../../dicom/dictionary/tags.ts";
import { readPart10File } from "../../../dicom/reader.ts";
import { parseStudyInstanceUid } from "../../../dicom/uid.ts";
import { uidOf } from "../../../dicom/values.ts";
import { GatewayError } from "../../../errors/gateway-error.ts";
import { openXnatClient } from "../../../network/rest/xnat/login.ts";
import { projectNamed } from "../../../network/rest/xnat/site.ts";
import { judgeScanFile, noteGivenOut, scanResultOf } from "../../../operations/scan-results.ts";
import { isMissing } from "../../../units/durable-files.ts";
import { makeFolders } from "../../../units/make-folders.ts";
import type { Cli } from "../../cli.ts";
import { counted } from "../../counted.ts";
import { EXIT, type ExitCode } from "../../exit-codes.ts";
import { openGateway } from "../../gateway-session.ts";
import { ownerOf, xnatSettings } from "../upload.ts";
import { openDesk } from "./desk.ts";
import { fetchResult } from "./results.ts";

export interface SubmitOptions {
  /** Of this gateway: what is DICOM becomes a study of it. */
  readonly project?: string;
  /** Of XNAT: files are uploaded as they are. */
  readonly xnat?: string;
  readonly accession?: string;
  readonly scan?: string;
  readonly assessor?: string;
  readonly resource?: string;
  readonly existOk?: boolean;
  /** Files are copied into this folder as they are. */
  readonly out?: string;
}

/** Where a result goes, by the one option that says so. @throws GatewayError USAGE_INVALID when it is none or several */
export async function submitResult(cli: Cli, id: string, options: SubmitOptions): Promise<ExitCode> {
  const { project, xnat, out } = options;
  if ([project, xnat, out].filter((each) => each !== undefined).length !== 1)
    throw new GatewayError("USAGE_INVALID", { problem: "one of --project, --xnat and --out says where to" });
  if (project !== undefined) return await submitStudies(cli, id, project);
  return out === undefined ? await uploadToXnat(cli, id, options) : await fetchResult(cli, id, { out });
}

/** Every file is what was received, or nothing is sent. */
async function uploadToXnat(cli: Cli, id: string, options: SubmitOptions): Promise<ExitCode> {
  const { environment, stop, clock } = cli.world;
  const { xnat = "", accession: session, resource, existOk = false } = options;
  if (session === undefined || resource === undefined)
    throw new GatewayError("USAGE_INVALID", { problem: "--xnat needs --accession and --resource" });
  const of = ownerOf(options);
  const { url, username, password } = xnatSettings(environment);
  await using desk = await openDesk(cli);
  const result = await scanResultOf(desk.context, id);
  if (result.files.length === 0) throw new GatewayError("SCAN_RESULT_UNFIT", { type: result.type });
  for (const name of result.files) {
    const { verdict } = await judgeScanFile(desk.context, result, name);
    if (verdict === "changed" || verdict === "missing") throw new GatewayError("SCAN_RESULT_DAMAGED", { verdict });
  }
  const files = await resultFilesIn(result.directory, result.files);
  const credentials = { username, password: () => Promise.resolve(password) };
  await using client = openXnatClient({ baseUrl: url, credentials }, clock);
  const project = await projectNamed(client, xnat, stop);
  if (cli.isRehearsal()) {
    const names = files.map(({ name }) => name);
    await cli.printer.document({ result: id, project, resource, files: names }, () => names);
    return EXIT.fine;
  }
  await noteGivenOut(desk.context, id);
  const uploaded = await uploadResults(client, { project, session, of, resource }, files, { existOk }, stop);
  await cli.printer.document({ result: id, project, resource, files: uploaded }, () =>
    uploaded.map(({ name, sizeBytes, outcome }) => `${outcome.padEnd(9)}  ${name}  ${counted(sizeBytes, "byte")}`),
  );
  return EXIT.fine;
}

/** The studies are known by their UIDs from here on; their files come from the lake, by an archive of kind folder. */
async function submitStudies(cli: Cli, id: string, project: string): Promise<ExitCode> {
  const studies = await studiesOf(cli, id);
  await using gateway = await openGateway(cli, "client");
  await using opened = new AsyncDisposableStack();
  const file = await cohortFile(cli, studies, opened);
  const document = await gateway.operations.submitCohort(file, project);
  await cli.printer.document({ result: id, ...document }, () => [
    `${document.cohort}: ${document.accepted} of ${counted(studies.length, "study")} accepted`,
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
async function cohortFile(cli: Cli, studies: readonly string[], opened: AsyncDisposableStack): Promise<string> {
  const kept = join(cli.world.environment.RADFERRY_HOME || "/var/lib/radferry", "submitted-results");
  const folder = cli.isRehearsal() ? await mkdtemp(join(tmpdir(), "radferry-result-")) : kept;
  if (cli.isRehearsal()) opened.defer(() => rm(folder, { recursive: true, force: true }));
  await makeFolders(folder, { mode: 0o700 });
  const path = join(folder, `result-${cli.world.clock.nowMs()}.csv`);
  await writeFile(path, `study_instance_uid\n${studies.join("\n")}\n`, { mode: 0o600 });
  return path;
}
