import { stat } from "node:fs/promises";
import { relative, resolve } from "node:path";
import { exportMapping, prepareMappingFolder } from "../../deid/mapping.ts";
import { deidentifyFolder, type FolderFailure, type FolderResult } from "../../deid/run-folder.ts";
import { GatewayError } from "../../errors/gateway-error.ts";
import { errorRegistry } from "../../errors/registry.ts";
import { makeFolders } from "../../units/make-folders.ts";
import type { Cli } from "../cli.ts";
import { counted } from "../counted.ts";
import { EXIT, type ExitCode } from "../exit-codes.ts";
import { openProgress } from "../progress.ts";
import { isSystemError } from "../write-whole-file.ts";
import { deidentifierOptionsOf, type ProjectOptions } from "./deid-run-options.ts";

export interface RunOptions extends ProjectOptions {
  readonly names?: true;
  readonly mappingDir?: string;
}

/** De-identifies a folder; what fails is reported, and the others go on. */
export async function runFolder(cli: Cli, input: string, output: string, options: RunOptions): Promise<ExitCode> {
  const { world, printer } = cli;
  const engine = await deidentifierOptionsOf(cli, options);
  const from = resolve(world.workingFolder, input);
  if (!(await isFolder(from))) throw new GatewayError("FILE_UNREADABLE", { problem: "the input is no folder" });
  const to = resolve(world.workingFolder, output);
  const { project } = options;
  // This program does nothing else: it may wait for the disk.
  const task = { ...engine, input: from, output: to, project, signal: world.stop, blocking: true };
  const folder = options.mappingDir === undefined ? undefined : resolve(world.workingFolder, options.mappingDir);
  if (folder !== undefined) await refuseUnsafeMapping(from, to, folder);
  const result = await withProgress(cli, (onProgress) => deidentifyFolder({ ...task, onProgress }));
  const mapping = folder === undefined ? {} : { mapping: await exportMapping({ ...task, folder }) };
  const nameOf = ({ path }: FolderFailure) => (options.names === true ? { file: relative(from, path) } : {});
  const { profile, key } = engine;
  const document = {
    project: options.project,
    profile: { name: profile.name, version: profile.version, hash: profile.hash },
    keyId: key.id,
    ...result,
    ...mapping,
    failures: result.failures.map((failure) => {
      const { number, code, reason } = failure;
      return { number, ...nameOf(failure), code, reason };
    }),
  };
  await printer.document(document, () => lines(result, nameOf));
  const { rejected, unreadable, withheld } = result.instances;
  return rejected + unreadable + withheld === 0 ? EXIT.fine : EXIT.partial;
}

/** Before anything is de-identified. */
async function refuseUnsafeMapping(input: string, output: string, folder: string): Promise<void> {
  await makeFolders(output);
  await prepareMappingFolder({ input, output, folder });
}

async function withProgress(
  { world }: Cli,
  run: (onProgress: (done: number, total: number) => void) => Promise<FolderResult>,
): Promise<FolderResult> {
  using progress = await openProgress(world.stderr, "files");
  try {
    return await run((done, total) => progress.update(done, total, ""));
  } catch (thrown) {
    throw isSystemError(thrown) ? new GatewayError("FILE_NOT_WRITABLE", { reason: thrown.code }, thrown) : thrown;
  }
}

async function isFolder(path: string): Promise<boolean> {
  return stat(path).then(
    (facts) => facts.isDirectory(),
    () => false,
  );
}

function* lines(
  { files, links, studies, instances, failures, unlistedFailures, exclusions, earlier }: FolderResult,
  nameOf: (failure: FolderFailure) => { readonly file?: string },
): Generator<string> {
  for (const failure of failures) {
    const { number, code, reason } = failure;
    const { file } = nameOf(failure);
    yield `FAILED  file ${number}${file === undefined ? "" : ` ${file}`}: ${errorRegistry[code].summary} [${code}, ${reason}]`;
  }
  if (unlistedFailures > 0) yield `FAILED  ${unlistedFailures} more`;
  for (const [reason, count] of Object.entries(exclusions)) yield `left out  ${count}: ${reason}`;
  if (links > 0) yield `left out  ${links}: links, which are not followed`;
  if (instances.duplicates > 0) yield `left out  ${instances.duplicates}: duplicates`;
  if (instances.withheld > 0) yield `held back  ${instances.withheld}: with the rest of their studies`;
  if (earlier > 0) yield `kept  ${earlier}: objects of earlier runs in the output, which this one did not replace`;
  yield `${instances.delivered} of ${counted(files, "file")} de-identified, ${studies.delivered} of ${counted(studies.total, "study")}`;
}
