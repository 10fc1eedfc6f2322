import { stat } from "node:fs/promises";
import { resolve } from "node:path";
import type { StudyInstanceUid } from "../../../dicom/uid.ts";
import { type ErrorDetails, type GatewayError, toGatewayError } from "../../../errors/gateway-error.ts";
import { type StoreAnswer, storeDicomWeb } from "../../../network/dicomweb/store.ts";
import { openHttpClient } from "../../../network/http-client/http-client.ts";
import type { HttpClient } from "../../../network/http-client/types.ts";
import { systemRandom } from "../../../units/random.ts";
import type { Cli } from "../../cli.ts";
import { type ExitCode, exitCodeOfCounts } from "../../exit-codes.ts";
import { openProgress } from "../../progress.ts";
import { createFilePieces } from "./file-pieces.ts";
import { httpConnectionOf } from "./http-connection.ts";
import type { HttpOptions } from "./http-options.ts";
import { type FoundFile, outgoingBatches, tellPassedOver } from "./outgoing-files.ts";
import { failureText, toldFailure } from "./told-failure.ts";

export interface StowOptions extends HttpOptions {
  readonly study?: string;
  readonly batch: number;
}

interface FileOutcome {
  readonly file: string;
  readonly ok: boolean;
  /** PS3.18 annex I.2, as four hexadecimal digits. */
  readonly reason?: string;
  readonly code?: string;
  readonly details?: ErrorDetails;
  readonly message: string;
}

type Sendable = Extract<FoundFile, { readonly instance: unknown }>;

/** Sends every file; one that cannot be sent is reported, and the others go on. @throws GatewayError when the service cannot be reached at all */
export async function stow(cli: Cli, url: string, paths: readonly string[], options: StowOptions): Promise<ExitCode> {
  const { workingFolder, stop, stderr } = cli.world;
  await using client = openHttpClient(await httpConnectionOf(url, options, workingFolder));
  const piecesOf = createFilePieces();
  const outcomes: FileOutcome[] = [];
  const absolute = paths.map((path) => resolve(workingFolder, path));
  const passedOver = { links: 0 };
  {
    using progress = await openProgress(stderr, "files");
    for await (const found of outgoingBatches(absolute, passedOver)) {
      const sendable = found.filter((file) => "instance" in file);
      for (const file of found) if ("error" in file) outcomes.push(failure(file.file, file.error));
      for (let start = 0; start < sendable.length; start += options.batch) {
        const batch = sendable.slice(start, start + options.batch);
        outcomes.push(...(await send({ client, piecesOf, stop }, batch, options, outcomes.length === 0)));
        progress.update(outcomes.length, outcomes.length, "");
      }
    }
  }
  tellPassedOver(cli, passedOver, outcomes.length);
  const stored = outcomes.filter(({ ok }) => ok).length;
  const failed = outcomes.length - stored;
  await cli.printer.document({ stored, failed, files: outcomes }, () => linesOf(outcomes, stored, failed));
  return exitCodeOfCounts({ good: stored, bad: failed });
}

interface Sender {
  readonly client: HttpClient;
  readonly piecesOf: (path: string) => AsyncIterable<Uint8Array>;
  readonly stop: AbortSignal;
}

/** @param isFirst a request that cannot be made then is thrown: nothing was sent, and the reason holds for all */
async function send(
  { client, piecesOf, stop }: Sender,
  batch: readonly Sendable[],
  { study }: StowOptions,
  isFirst: boolean,
): Promise<readonly FileOutcome[]> {
  const instances = await Promise.all(
    batch.map(async ({ file, instance: { sopInstanceUid } }) => ({
      sopInstanceUid,
      // One that is gone by now is told of when it is read.
      sizeBytes: await stat(file).then(
        ({ size }) => size,
        () => undefined,
      ),
      read: () => piecesOf(file),
    })),
  );
  try {
    const studyInstanceUid = study as StudyInstanceUid | undefined;
    const answer = await storeDicomWeb(client, instances, { studyInstanceUid, random: systemRandom }, stop);
    return batch.map((sent) => outcomeOf(sent, answer));
  } catch (thrown) {
    stop.throwIfAborted();
    const error = toGatewayError(thrown);
    if (isFirst) throw error;
    return batch.map(({ file }) => failure(file, error));
  }
}

function outcomeOf({ file, instance: { sopInstanceUid } }: Sendable, { stored, failed }: StoreAnswer): FileOutcome {
  const refused = failed.find((each) => each.sopInstanceUid === sopInstanceUid);
  if (refused !== undefined) {
    const { failureReason } = refused;
    const reason = failureReason === undefined ? {} : { reason: failureReason.toString(16).padStart(4, "0") };
    return { file, ok: false, ...reason, message: "refused" };
  }
  if (stored.some((each) => each.sopInstanceUid === sopInstanceUid)) return { file, ok: true, message: "stored" };
  return { file, ok: false, message: "not mentioned in the answer" };
}

function failure(file: string, error: GatewayError): FileOutcome {
  return { file, ok: false, ...toldFailure(error) };
}

function* linesOf(outcomes: readonly FileOutcome[], stored: number, failed: number): Generator<string> {
  for (const { file, ok, reason, code, details, message } of outcomes) {
    const why = reason ?? (code === undefined ? undefined : failureText(code, details));
    yield `${ok ? "stored" : "FAILED"}  ${file}: ${message}${why === undefined ? "" : ` [${why}]`}`;
  }
  yield `${stored} stored, ${failed} failed`;
}
