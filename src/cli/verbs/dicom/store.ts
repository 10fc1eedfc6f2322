import { resolve } from "node:path";
import type { DicomAddress } from "../../../dicom/ae-title.ts";
import { type ErrorDetails, type GatewayError, toGatewayError } from "../../../errors/gateway-error.ts";
import type { Association, OutgoingInstance } from "../../../network/dimse/service-types.ts";
import { describeStatus, formatStatus } from "../../../network/dimse/status.ts";
import { storageContextsFor } from "../../../network/dimse/storage-contexts.ts";
import type { Cli } from "../../cli.ts";
import { type ExitCode, exitCodeOfCounts } from "../../exit-codes.ts";
import { openProgress } from "../../progress.ts";
import { type FoundFile, outgoingBatches, tellPassedOver } from "./outgoing-files.ts";
import { associate, type PeerOptions } from "./peer.ts";
import { failureText, toldFailure } from "./told-failure.ts";

/**
 * Associations in a row that could not be had, or broke over their first object: then the peer is left alone. Objects of one kind lie
 * together in a folder, and a peer that breaks over each of them may take the others.
 */
const MOST_IN_A_ROW = { unopened: 3, broken: 20 } as const;

interface FileOutcome {
  readonly file: string;
  readonly ok: boolean;
  /** The peer's answer, when there was one. */
  readonly status?: string;
  readonly code?: string;
  readonly details?: ErrorDetails;
  readonly message: string;
  /** What the peer says besides: it may name the patient, and goes nowhere but here. */
  readonly comment?: string;
}

interface Sendable {
  readonly file: string;
  readonly instance: OutgoingInstance;
}

/** What would move a terminal's cursor or set its colours. */
const CONTROLS = /\p{Cc}+/gu;

type Opener = (files: readonly Sendable[]) => Promise<Association>;

/** Sends every file; one that cannot be sent is reported, and the others go on. @throws GatewayError when the peer cannot be reached at all */
export async function store(
  cli: Cli,
  peer: DicomAddress,
  paths: readonly string[],
  options: PeerOptions,
): Promise<ExitCode> {
  const { world, printer } = cli;
  const open: Opener = (files) =>
    associate(cli, peer, options, storageContextsFor(files.map(({ instance }) => instance)).flat());
  const outcomes: FileOutcome[] = [];
  const absolute = paths.map((path) => resolve(world.workingFolder, path));
  const passedOver = { links: 0 };
  {
    using progress = await openProgress(world.stderr, "files");
    let found = 0;
    for await (const batch of outgoingBatches(absolute, passedOver)) {
      found += batch.length;
      for await (const outcome of sendBatch(batch, open, outcomes.length === 0)) {
        if (world.stop.aborted) throw world.stop.reason;
        outcomes.push(outcome);
        progress.update(outcomes.length, found, "");
      }
    }
  }
  tellPassedOver(cli, passedOver, outcomes.length);
  const failed = outcomes.filter(({ ok }) => !ok).length;
  const sent = outcomes.length - failed;
  await printer.document({ sent, failed, files: outcomes }, () => outcomeLines(outcomes));
  return exitCodeOfCounts({ good: sent, bad: failed });
}

/** @param isFirst an association that cannot be had then is thrown: nothing was sent, and the reason holds for all */
async function* sendBatch(batch: readonly FoundFile[], open: Opener, isFirst: boolean): AsyncGenerator<FileOutcome> {
  for (const found of batch) if ("error" in found) yield failure(found.file, found.error);
  let rest: readonly Sendable[] = batch.filter((found) => "instance" in found);
  let isUntried = isFirst;
  for (let [unopened, broken] = [0, 0]; rest.length > 0; ) {
    let answered = 0;
    let isOpen = false;
    try {
      await using association = await open(rest);
      isOpen = true;
      isUntried = false;
      for (const sendable of rest) {
        const outcome = await send(association, sendable);
        answered += 1;
        yield outcome;
      }
      return;
    } catch (thrown) {
      const error = toGatewayError(thrown);
      if (isUntried) throw error;
      unopened = isOpen ? 0 : unopened + 1;
      broken = answered === 0 ? broken + 1 : 0;
      rest = rest.slice(answered);
      const [over, ...others] = rest;
      if (isOpen && over !== undefined) {
        yield failure(over.file, error);
        rest = others;
      }
      if (unopened < MOST_IN_A_ROW.unopened && broken < MOST_IN_A_ROW.broken) continue;
      for (const { file } of rest) yield failure(file, error);
      return;
    }
  }
}

/** @throws GatewayError when the association broke */
async function send(association: Association, { file, instance }: Sendable): Promise<FileOutcome> {
  try {
    const { status, errorComment } = await association.store(instance);
    const { class: meaning, name } = describeStatus("C-STORE", status);
    const ok = meaning === "success" || meaning === "warning";
    const comment = errorComment?.replace(CONTROLS, " ").trim() ?? "";
    return { file, ok, status: formatStatus(status), message: name, ...(comment === "" ? {} : { comment }) };
  } catch (thrown) {
    const error = toGatewayError(thrown);
    if (error.code !== "NO_PRESENTATION_CONTEXT") throw error;
    return failure(file, error);
  }
}

function failure(file: string, error: GatewayError): FileOutcome {
  return { file, ok: false, ...toldFailure(error) };
}

function* outcomeLines(outcomes: readonly FileOutcome[]): Generator<string> {
  for (const { file, ok, status, code = "", details, message, comment } of outcomes) {
    const said = comment === undefined ? "" : ` The peer says: ${comment}`;
    yield `${ok ? "sent" : "FAILED"}  ${file}: ${message} [${status ?? failureText(code, details)}]${said}`;
  }
  const failed = outcomes.filter(({ ok }) => !ok).length;
  yield `${outcomes.length - failed} sent, ${failed} failed`;
}
