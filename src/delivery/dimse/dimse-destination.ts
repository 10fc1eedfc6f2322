import type { AeTitle, DicomAddress } from "../../dicom/ae-title.ts";
import type { SopInstanceUid } from "../../dicom/uid.ts";
import { GatewayError, toGatewayError } from "../../errors/gateway-error.ts";
import { openAssociation } from "../../network/dimse/association.ts";
import type { ConnectionSource } from "../../network/dimse/connection.ts";
import { outgoingFromFile } from "../../network/dimse/outgoing-file.ts";
import type { Association, DimseTimeouts, ProposedContext } from "../../network/dimse/service-types.ts";
import type { DeidentifiedFile } from "../../staging/deidentified-file.ts";
import type { Logger } from "../../units/logger.ts";
import type { Destination, StudyDelivery } from "../destination.ts";
import { checkStoreStatus } from "../store-status.ts";
import { listInstances } from "./list-instances.ts";

const STUDY_ROOT_FIND = "1.2.840.10008.5.1.4.1.2.2.1";
const PLAIN_SYNTAXES = ["1.2.840.10008.1.2.1", "1.2.840.10008.1.2"];
/** Presentation contexts of one association. PS3.8 9.3.2.2: odd numbers up to 255. */
const MAXIMUM_CONTEXTS = 128;

export interface DimseDestinationOptions {
  readonly name: string;
  readonly address: DicomAddress;
  readonly callingAeTitle: AeTitle;
  /** Absent: without TLS and user. */
  readonly connection?: ConnectionSource;
  readonly timeouts?: Partial<DimseTimeouts>;
  readonly logger: Logger;
}

/** C-STORE, confirmed by C-FIND at image level. PS3.4 B, C. */
export function createDimseDestination(options: DimseDestinationOptions): Destination {
  return {
    name: options.name,
    kind: "dimse",
    proof: "uids",
    held: (delivery, signal) => held(options, delivery, signal),
    send: (delivery, files, signal) => send(options, delivery, files, signal),
    // A C-STORE destination has no place for a report: it stays with the gateway's own account.
    async conclude() {},
    async [Symbol.asyncDispose]() {},
  };
}

async function open(
  options: DimseDestinationOptions,
  contexts: readonly ProposedContext[],
  signal: AbortSignal,
): Promise<Association> {
  const { address, callingAeTitle, timeouts, logger } = options;
  return await openAssociation({
    ...(await options.connection?.()),
    address,
    callingAeTitle,
    contexts,
    logger,
    signal,
    ...(timeouts === undefined ? {} : { timeouts }),
  });
}

async function held(
  options: DimseDestinationOptions,
  delivery: StudyDelivery,
  signal: AbortSignal,
): Promise<ReadonlySet<SopInstanceUid>> {
  const contexts = [{ abstractSyntaxUid: STUDY_ROOT_FIND, transferSyntaxUids: PLAIN_SYNTAXES }];
  await using association = await open(options, contexts, signal);
  const listed = await listInstances(association, delivery, signal);
  return new Set(delivery.files.map((file) => file.sopInstanceUid).filter((uid) => listed.has(uid)));
}

/** Files by the contexts that carry them, as many pairs in one association as fit. */
async function send(
  options: DimseDestinationOptions,
  _delivery: StudyDelivery,
  files: readonly DeidentifiedFile[],
  signal: AbortSignal,
): Promise<void> {
  const byContext = Map.groupBy(files, (file) => `${file.sopClassUid} ${file.transferSyntaxUid}`);
  const pairs = [...byContext.values()];
  for (let start = 0; start < pairs.length; start += MAXIMUM_CONTEXTS) {
    const part = pairs.slice(start, start + MAXIMUM_CONTEXTS);
    const contexts = part.flatMap(([file]) =>
      file === undefined ? [] : [{ abstractSyntaxUid: file.sopClassUid, transferSyntaxUids: [file.transferSyntaxUid] }],
    );
    await sendOver(options, contexts, part.flat(), signal);
  }
}

async function sendOver(
  options: DimseDestinationOptions,
  contexts: readonly ProposedContext[],
  files: readonly DeidentifiedFile[],
  signal: AbortSignal,
): Promise<void> {
  await using association = await open(options, contexts, signal);
  if (!contexts.every((context) => isAccepted(association, context)))
    throw new GatewayError("NO_PRESENTATION_CONTEXT", { destination: options.name });
  let sent = 0;
  try {
    for (const file of files) {
      const { status } = await association.store(await outgoingFromFile(file.path), signal);
      checkStoreStatus(status, options.name);
      sent += 1;
    }
  } catch (thrown) {
    signal.throwIfAborted();
    const error = toGatewayError(thrown);
    // Cut off in the middle, the store may hold the instance or not: it is asked before anything is sent again.
    const isCut = error.code === "ASSOCIATION_ABORTED" || error.code === "TIMED_OUT";
    throw isCut ? new GatewayError("DELIVERY_INTERRUPTED", { destination: options.name, sent }, thrown) : thrown;
  }
}

/** Asked before anything is sent: a study that cannot arrive whole does not arrive in part. */
function isAccepted({ acceptedContexts }: Association, proposed: ProposedContext): boolean {
  return acceptedContexts.some(
    ({ abstractSyntaxUid, transferSyntaxUid }) =>
      abstractSyntaxUid === proposed.abstractSyntaxUid && proposed.transferSyntaxUids.includes(transferSyntaxUid),
  );
}
