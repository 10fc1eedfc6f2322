import { open } from "node:fs/promises";
import { basename, resolve } from "node:path";
import { isFieldUid } from "../../../dicom/uid.ts";
import { GatewayError } from "../../../errors/gateway-error.ts";
import { openHttpClient } from "../../../network/http-client/http-client.ts";
import { createRad69Client } from "../../../network/ihe/client.ts";
import { type DicomTrolleyError, Rad69ServerError, type RegistryError } from "../../../network/ihe/errors.ts";
import type { InstanceReference } from "../../../network/ihe/request.ts";
import { type InstanceOutcome, type Retrieval, retrieveInstances } from "../../../network/ihe/retrieve.ts";
import { openInstanceFolder } from "../../../network/instance-files/instance-folder.ts";
import type { Cli } from "../../cli.ts";
import { counted } from "../../counted.ts";
import { type ExitCode, exitCodeOfCounts } from "../../exit-codes.ts";
import { openProgress } from "../../progress.ts";
import { httpConnectionOf } from "./http-connection.ts";
import type { Rad69Options } from "./rad69-options.ts";

const MAXIMUM_LIST_BYTES = 256 * 1024 * 1024;

export async function rad69(cli: Cli, url: string, options: Rad69Options): Promise<ExitCode> {
  const { workingFolder, clock, stop } = cli.world;
  const wanted = await instancesOf(options, workingFolder);
  const connection = await httpConnectionOf(url, options, workingFolder);
  await using http = openHttpClient({ ...connection, connections: options.parallel });
  const out = resolve(workingFolder, options.out);
  const store = await openInstanceFolder(out, clock, { blocking: true });
  const client = createRad69Client({
    http,
    url,
    repositoryUniqueId: options.repository,
    homeCommunityId: options.homeCommunity,
    transferSyntaxUids: options.transferSyntax,
    encoding: options.request,
    clock,
  });
  using progress = await openProgress(cli.world.stderr, "instances");
  let arrived = 0;
  const retrieval = await retrieveInstances(client, wanted, store, {
    grouping: options.single === true ? "single" : "series",
    parallel: options.parallel,
    split: options.single !== true && options.perSeries !== true,
    attempts: options.attempts,
    onInstance: () => progress.update(++arrived, wanted.length, ""),
    signal: stop,
  });
  const document = documentOf(retrieval, new Set(options.ignore), out);
  await cli.printer.document(document, () => linesOf(document));
  return exitCodeOfCounts({ good: document.delivered, bad: document.failed });
}

/** @throws GatewayError USAGE_INVALID */
async function instancesOf(options: Rad69Options, workingFolder: string): Promise<readonly InstanceReference[]> {
  const { study, series, instance = [], instances } = options;
  if (instances !== undefined) {
    if (study !== undefined || series !== undefined || instance.length > 0) {
      throw usage("--instances stands alone: the file names studies and series too");
    }
    return readList(resolve(workingFolder, instances));
  }
  if (study === undefined || series === undefined || instance.length === 0) {
    throw usage("name instances by --study, --series and --instance, or by --instances FILE");
  }
  return instance.map((sopInstanceUid) =>
    checked({ studyInstanceUid: study, seriesInstanceUid: series, sopInstanceUid }, "--study, --series or --instance"),
  );
}

/** @throws GatewayError USAGE_INVALID */
async function readList(path: string): Promise<readonly InstanceReference[]> {
  const text = await readUpTo(path).catch(() => {
    throw usage("the file of --instances cannot be read");
  });
  return text
    .replace(/^\uFEFF/, "")
    .split(/\r?\n/)
    .flatMap((line, index) => {
      if (line.trim() === "") return [];
      const [studyInstanceUid = "", seriesInstanceUid = "", sopInstanceUid = ""] = line
        .split("\t")
        .map((cell) => cell.trim());
      return [checked({ studyInstanceUid, seriesInstanceUid, sopInstanceUid }, `line ${index + 1} of --instances`)];
    });
}

async function readUpTo(path: string): Promise<string> {
  await using file = await open(path, "r");
  if ((await file.stat()).size > MAXIMUM_LIST_BYTES) throw usage("the file of --instances is too long");
  return await file.readFile("utf8");
}

function checked(reference: InstanceReference, where: string): InstanceReference {
  const { studyInstanceUid, seriesInstanceUid, sopInstanceUid } = reference;
  if (![studyInstanceUid, seriesInstanceUid, sopInstanceUid].every(isFieldUid)) throw usage(`${where}: not a UID`);
  return reference;
}

interface InstanceDocument {
  readonly sopInstanceUid: string;
  readonly state: "delivered" | "failed" | "ignored";
  readonly file?: string;
  readonly sizeBytes?: number;
  readonly code?: string;
  readonly message?: string;
  /** What the source itself says. */
  readonly errors?: readonly RegistryError[];
}

interface Rad69Document {
  readonly requested: number;
  readonly delivered: number;
  readonly failed: number;
  readonly ignored: number;
  readonly requests: number;
  readonly unexpected: number;
  readonly duplicates: number;
  readonly out: string;
  readonly instances: readonly InstanceDocument[];
}

function documentOf(retrieval: Retrieval<string>, ignored: ReadonlySet<string>, out: string): Rad69Document {
  const { requests, unexpected, duplicates } = retrieval;
  const instances = [...retrieval.outcomes].map(([uid, outcome]) => instanceDocument(uid, outcome, ignored));
  const count = (state: InstanceDocument["state"]): number => instances.filter((one) => one.state === state).length;
  return {
    requested: instances.length,
    delivered: count("delivered"),
    failed: count("failed"),
    ignored: count("ignored"),
    requests,
    unexpected,
    duplicates,
    out,
    instances,
  };
}

function instanceDocument(
  sopInstanceUid: string,
  outcome: InstanceOutcome<string>,
  ignored: ReadonlySet<string>,
): InstanceDocument {
  if (outcome.state === "delivered") {
    const { facts, kept, warnings } = outcome;
    const said = warnings.length === 0 ? {} : { errors: warnings };
    return { sopInstanceUid, state: "delivered", file: basename(kept), sizeBytes: facts.sizeBytes, ...said };
  }
  const { error } = outcome;
  const errors = errorsOf(error);
  const isIgnored = ignored.has(error.code) || errors.some(({ errorCode }) => ignored.has(errorCode));
  return {
    sopInstanceUid,
    state: isIgnored ? "ignored" : "failed",
    code: error.code,
    message: error.message,
    ...(errors.length === 0 ? {} : { errors }),
  };
}

function errorsOf(error: DicomTrolleyError): readonly RegistryError[] {
  return error instanceof Rad69ServerError ? error.errors : [];
}

/** Without identifiers: who wants them asks for the document. */
function* linesOf({ requested, delivered, ignored, requests, instances }: Rad69Document): Generator<string> {
  const left = ignored === 0 ? "" : `, ${ignored} ignored`;
  yield `${delivered} of ${counted(requested, "instance")} retrieved${left}, in ${counted(requests, "request")}`;
  const failed = instances.filter(({ state }) => state === "failed");
  for (const [code = "", some] of Map.groupBy(failed, (one) => one.code)) {
    yield `${some.length} failed: ${some[0]?.message} [${code}]`;
  }
}

function usage(problem: string): GatewayError {
  return new GatewayError("USAGE_INVALID", { problem });
}
