import { resolve } from "node:path";
import type { DicomAddress } from "../../../dicom/ae-title.ts";
import { type ErrorDetails, GatewayError } from "../../../errors/gateway-error.ts";
import {
  type CommitmentOutcome,
  createCommitments,
  describeFailureReason,
} from "../../../network/dimse/commitments.ts";
import { startDimseServer } from "../../../network/dimse/server.ts";
import { STORAGE_COMMITMENT_SOP_CLASS } from "../../../network/dimse/service-classes.ts";
import type { DimseServer, SopReference } from "../../../network/dimse/service-types.ts";
import { formatStatus } from "../../../network/dimse/status.ts";
import { IDENTIFIER_TRANSFER_SYNTAXES } from "../../../network/dimse/storage-contexts.ts";
import type { Cli } from "../../cli.ts";
import { type ExitCode, exitCodeOfCounts } from "../../exit-codes.ts";
import { outgoingBatches, type PassedOver, tellPassedOver } from "./outgoing-files.ts";
import { addressText, associate, type PeerOptions, toolkitLogger } from "./peer.ts";
import { failureText, toldFailure } from "./told-failure.ts";

export interface CommitOptions extends PeerOptions {
  /** Where the archive brings its results; without it they must come over the association that asked. */
  readonly listen?: number;
  readonly host: string;
  /** Seconds. */
  readonly timeout: number;
}

interface FileOutcome {
  readonly file: string;
  readonly committed: boolean;
  /** Failure Reason of the archive, as it writes them. */
  readonly reason?: string;
  readonly code?: string;
  readonly details?: ErrorDetails;
  readonly message: string;
}

/** Asks an archive which files' instances it commits to keeping. @throws GatewayError when it cannot be asked at all */
export async function commit(
  cli: Cli,
  peer: DicomAddress,
  paths: readonly string[],
  options: CommitOptions,
): Promise<ExitCode> {
  const { world, printer } = cli;
  const passedOver = { links: 0 };
  const absolute = paths.map((path) => resolve(world.workingFolder, path));
  const { found, unreadable } = await lookAt(absolute, passedOver);
  tellPassedOver(cli, passedOver, found.size + unreadable.length);
  const answered = found.size === 0 ? undefined : await ask(cli, peer, options, [...found.values()]);
  const verdicts = verdictsOf(answered);
  const files = [
    ...unreadable,
    ...[...found].map(([file, { sopInstanceUid }]) => ({ file, ...(verdicts.get(sopInstanceUid) ?? unanswered()) })),
  ];
  const good = files.filter(({ committed }) => committed).length;
  const document = { peer: addressText(peer), committed: good, notCommitted: files.length - good, files };
  await printer.document(document, () => outcomeLines(files));
  return exitCodeOfCounts({ good, bad: files.length - good });
}

async function lookAt(paths: readonly string[], passedOver: PassedOver) {
  const found = new Map<string, SopReference>();
  const unreadable: FileOutcome[] = [];
  for await (const batch of outgoingBatches(paths, passedOver)) {
    for (const one of batch) {
      if ("error" in one) {
        unreadable.push({ file: one.file, committed: false, ...toldFailure(one.error) });
      } else {
        const { sopClassUid, sopInstanceUid } = one.instance;
        found.set(one.file, { sopClassUid, sopInstanceUid });
      }
    }
  }
  return { found, unreadable };
}

async function ask(
  cli: Cli,
  peer: DicomAddress,
  options: CommitOptions,
  references: readonly SopReference[],
): Promise<CommitmentOutcome> {
  const commitments = createCommitments({ timeoutMs: options.timeout * 1_000 });
  const { handler: commitmentResult } = commitments;
  // Copies of one instance are asked about once.
  const instances = [...new Map(references.map((one) => [one.sopInstanceUid, one])).values()];
  await using _receiver = await listen(cli, options, commitmentResult);
  const contexts = [
    { abstractSyntaxUid: STORAGE_COMMITMENT_SOP_CLASS, transferSyntaxUids: IDENTIFIER_TRANSFER_SYNTAXES },
  ];
  await using association = await associate(cli, peer, options, contexts, { commitmentResult });
  return await commitments.request(association, instances, cli.world.stop);
}

async function listen(
  cli: Cli,
  { listen: port, host, calling }: CommitOptions,
  commitmentResult: Parameters<typeof startDimseServer>[0]["handlers"]["commitmentResult"],
): Promise<DimseServer | undefined> {
  if (port === undefined || commitmentResult === undefined) return undefined;
  const server = await startDimseServer({
    host,
    port,
    aeTitle: calling,
    handlers: { commitmentResult },
    rules: { calledAeTitles: "any" },
    logger: await toolkitLogger(cli),
  });
  cli.printer.note(`${calling} listens on ${server.host}, port ${server.port}`);
  return server;
}

type Verdict = Omit<FileOutcome, "file">;

function verdictsOf(answered: CommitmentOutcome | undefined): ReadonlyMap<string, Verdict> {
  const { committed = [], failed = [] } = answered ?? {};
  return new Map<string, Verdict>([
    ...committed.map(({ sopInstanceUid }) => [sopInstanceUid, { committed: true, message: "committed" }] as const),
    ...failed.map(({ sopInstanceUid, failureReason }) => {
      const reason = failureReason === undefined ? {} : { reason: formatStatus(failureReason) };
      return [sopInstanceUid, { committed: false, ...reason, message: describeFailureReason(failureReason) }] as const;
    }),
  ]);
}

function unanswered(): Verdict {
  const { code, message } = new GatewayError("COMMITMENT_UNANSWERED");
  return { committed: false, code, message };
}

function* outcomeLines(files: readonly FileOutcome[]): Generator<string> {
  for (const { file, committed, reason, code = "-", details, message } of files) {
    const why = reason ?? failureText(code, details);
    yield committed ? `committed  ${file}` : `NOT COMMITTED  ${file}: ${message} [${why}]`;
  }
  const good = files.filter(({ committed }) => committed).length;
  yield `${good} committed, ${files.length - good} not`;
}
