import { basename, resolve } from "node:path";
import type { SeriesInstanceUid, SopInstanceUid, StudyInstanceUid } from "../../../dicom/uid.ts";
import { type ErrorDetails, GatewayError, toGatewayError } from "../../../errors/gateway-error.ts";
import { retrieveDicomWeb } from "../../../network/dicomweb/retrieve.ts";
import { openHttpClient } from "../../../network/http-client/http-client.ts";
import { InstanceError } from "../../../network/instance-files/instance-error.ts";
import { openInstanceFolder } from "../../../network/instance-files/instance-folder.ts";
import { keepInstances } from "../../../network/instance-files/keep-instance.ts";
import type { Cli } from "../../cli.ts";
import { counted } from "../../counted.ts";
import { type ExitCode, exitCodeOfCounts } from "../../exit-codes.ts";
import { openProgress } from "../../progress.ts";
import { httpConnectionOf } from "./http-connection.ts";
import type { HttpOptions } from "./http-options.ts";
import { failureText, toldFailure } from "./told-failure.ts";

export interface WadoOptions extends HttpOptions {
  readonly study: string;
  readonly series?: string;
  readonly instance?: string;
  readonly out: string;
  readonly transferSyntax?: string;
}

interface WadoDocument {
  readonly retrieved: number;
  readonly failed: number;
  readonly out: string;
  readonly instances: readonly { readonly sopInstanceUid: string; readonly file: string; readonly sizeBytes: number }[];
  /** Each names the instances that it is about, as far as they are known. */
  readonly failures: readonly {
    readonly code: string;
    readonly message: string;
    readonly details?: ErrorDetails;
    readonly sopInstanceUids: readonly string[];
  }[];
}

/** @throws GatewayError when nothing came at all */
export async function wado(cli: Cli, url: string, options: WadoOptions): Promise<ExitCode> {
  const { workingFolder, clock, stop } = cli.world;
  if (options.instance !== undefined && options.series === undefined) {
    throw new GatewayError("USAGE_INVALID", { problem: "--instance needs --series" });
  }
  // The command line has seen to it that they are UIDs.
  const target = {
    studyInstanceUid: options.study as StudyInstanceUid,
    seriesInstanceUid: options.series as SeriesInstanceUid | undefined,
    sopInstanceUid: options.instance as SopInstanceUid | undefined,
  };
  await using client = openHttpClient(await httpConnectionOf(url, options, workingFolder));
  const out = resolve(workingFolder, options.out);
  const store = await openInstanceFolder(out, clock, { blocking: true });
  const instances: WadoDocument["instances"][number][] = [];
  const failures: WadoDocument["failures"][number][] = [];
  using progress = await openProgress(cli.world.stderr, "instances");
  try {
    const open = (signal: AbortSignal) =>
      retrieveDicomWeb(client, target, { transferSyntaxUid: options.transferSyntax }, signal);
    for await (const taken of keepInstances(open, store, target, stop)) {
      if (taken instanceof InstanceError) failures.push(failureOf(taken, options));
      else {
        const { facts, kept } = taken;
        instances.push({ sopInstanceUid: facts.sopInstanceUid, file: basename(kept), sizeBytes: facts.sizeBytes });
      }
      progress.update(instances.length, instances.length + failures.length, "");
    }
  } catch (thrown) {
    stop.throwIfAborted();
    if (instances.length + failures.length === 0) throw thrown;
    failures.push(failureOf(toGatewayError(thrown), options));
  }
  const document = { retrieved: instances.length, failed: failures.length, out, instances, failures };
  await cli.printer.document(document, () => linesOf(document));
  return exitCodeOfCounts({ good: instances.length, bad: failures.length });
}

function failureOf(error: GatewayError, { instance }: WadoOptions): WadoDocument["failures"][number] {
  const asked = instance === undefined ? [] : [instance];
  return { ...toldFailure(error), sopInstanceUids: error instanceof InstanceError ? error.instances : asked };
}

function* linesOf({ retrieved, failures }: WadoDocument): Generator<string> {
  yield `${counted(retrieved, "instance")} retrieved`;
  for (const { code, message, details } of failures) yield `FAILED: ${message} [${failureText(code, details)}]`;
}
