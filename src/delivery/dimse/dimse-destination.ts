import type { AeTitle, DicomAddress } from "../../dicom/ae-title.ts";
import type { SopInstanceUid } from "../../dicom/uid.ts";
import { GatewayError, toGatewayError } from "../../errors/gateway-error.ts";
import { openAssociation } from "../../network/dimse/association.ts";
import type { ConnectionSource } from "../../network/dimse/connection.ts";
import type { Association, DimseTimeouts, ProposedContext } from "../../network/dimse/service-types.ts";
import type { DeidentifiedFile } from "../../staging/deidentified-file.ts";
import type { Logger } from "../../units/logger.ts";
import type { Destination, NoteTranscoding, StudyDelivery } from "../destination.ts";
import { checkStoreStatus } from "../store-status.ts";
import { listInstances } from "./list-instances.ts";
import { contextsFor, digestsOf, isTranscoded, outgoingOfWay, type Way, waysFor } from "./ways.ts";

const STUDY_ROOT_FIND = "1.2.840.10008.5.1.4.1.2.2.1";
const PLAIN_SYNTAXES = ["1.2.840.10008.1.2.1", "1.2.840.10008.1.2"];
/** Of class and syntax. An association has 128 presentation contexts (PS3.8 9.3.2.2: odd numbers up to 255), and a pair needs two at most. */
const MAXIMUM_PAIRS = 64;

export interface DimseDestinationOptions {
  readonly name: string;
  readonly address: DicomAddress;
  readonly callingAeTitle: AeTitle;
  /** Absent: without TLS and user. */
  readonly connection?: ConnectionSource;
  readonly timeouts?: Partial<DimseTimeouts>;
  readonly logger: Logger;
}

/** C-STORE, uncompressed where the transfer syntax is refused; confirmed by C-FIND at image level. PS3.4 B, C. */
export function createDimseDestination(options: DimseDestinationOptions): Destination {
  return {
    name: options.name,
    kind: "dimse",
    proof: "uids",
    held: (delivery, signal) => held(options, delivery, signal),
    send: (delivery, files, signal, note = async () => {}) => send({ options, delivery }, files, signal, note),
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

/** Files by the contexts that carry them, as many pairs of class and syntax in one association as fit. */
/** A study on its way. */
interface Sending {
  readonly options: DimseDestinationOptions;
  readonly delivery: StudyDelivery;
}

async function send(
  sending: Sending,
  files: readonly DeidentifiedFile[],
  signal: AbortSignal,
  note: NoteTranscoding,
): Promise<void> {
  const pairs = [...Map.groupBy(files, (file) => `${file.sopClassUid} ${file.transferSyntaxUid}`).values()];
  for (let start = 0; start < pairs.length; start += MAXIMUM_PAIRS) {
    const inPart = new Set(pairs.slice(start, start + MAXIMUM_PAIRS).flat());
    const part = files.filter((file) => inPart.has(file));
    const transcoded = await sendOver(sending, part, signal, "as they are");
    if (transcoded.length === 0) continue;
    sending.delivery.reading?.leavesOut(transcoded.map(({ file }) => file));
    // To decode takes its time, in which no association is kept waiting.
    await note(await digestsOf(transcoded, signal));
    await sendOver(sending, part, signal, "transcoded too");
  }
}

/** Nothing is sent where some would have to be transcoded and may not be yet: those are answered. */
async function sendOver(
  { options, delivery }: Sending,
  files: readonly DeidentifiedFile[],
  signal: AbortSignal,
  how: "as they are" | "transcoded too",
): Promise<readonly Way[]> {
  await using association = await open(options, contextsFor(files), signal);
  const ways = waysFor(files, association.acceptedContexts, options.name);
  const transcoded = ways.filter(isTranscoded);
  if (how === "as they are" && transcoded.length > 0) return transcoded;
  let sent = 0;
  try {
    for (const way of ways) {
      const { status } = await association.store(outgoingOfWay(way, delivery, signal), signal);
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
  return [];
}
