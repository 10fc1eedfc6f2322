import type { AeTitle, DicomAddress } from "../../dicom/ae-title.ts";
import { openAssociation, type RequestedAssociation } from "./association.ts";
import type { CommandSet } from "./command-set.ts";
import { encodeFailedInstances } from "./identifier.ts";
import type { FinalResponse, Operation } from "./operation.ts";
import type { DimseTimeouts, OutgoingInstance } from "./service-types.ts";
import { describeStatus, STATUS } from "./status.ts";
import { storageContextsFor } from "./storage-contexts.ts";
import { sendInstance } from "./store-scu.ts";

/** Sends one instance; resolves with its C-STORE status. */
type SendOne = (instance: OutgoingInstance) => Promise<{ readonly status: number }>;

export interface MoveSettings {
  readonly aeTitle: AeTitle;
  readonly timeouts: DimseTimeouts;
}

/** Answers a C-GET: the instances go back over the same association. PS3.4 C.4.3.3. */
export async function serveGet(operation: Operation): Promise<FinalResponse> {
  const { session } = operation;
  const instances = await selectedBy(operation);
  const progress = new SubOperations(operation, instances.length);
  await progress.run(instances, (instance) =>
    sendInstance(session, { instance, mayCarry: ({ requestorIsScp }) => requestorIsScp }),
  );
  return progress.final();
}

/** Answers a C-MOVE: the instances go to the destination over associations of our own. PS3.4 C.4.2.3. */
export async function serveMove(operation: Operation, settings: MoveSettings): Promise<FinalResponse> {
  const destination = operation.message.command.moveDestination ?? "";
  const address = operation.handlers.resolveDestination?.(destination);
  if (address === undefined) return { answer: { status: STATUS.moveDestinationUnknown } };
  const instances = await selectedBy(operation);
  const progress = new SubOperations(operation, instances.length);
  for (const contexts of storageContextsFor(instances)) {
    const carried = new Set(contexts.map((one) => `${one.abstractSyntaxUid} ${one.transferSyntaxUids[0]}`));
    const group = instances.filter((one) => carried.has(`${one.sopClassUid} ${one.transferSyntaxUid}`));
    await using association = await openSubAssociation(operation, settings, address, contexts);
    const { messageId = 0 } = operation.message.command;
    const originator = { aeTitle: operation.session.callingAeTitle, messageId };
    await progress.run(group, async (instance) => {
      // Without an association every sub-operation of the group has failed.
      if (association === undefined) return { status: STATUS.unableToPerformSubOperations };
      return await association.storeFor(originator, instance);
    });
  }
  return progress.final();
}

async function openSubAssociation(
  { signal }: Operation,
  { aeTitle, timeouts }: MoveSettings,
  address: DicomAddress,
  contexts: Parameters<typeof openAssociation>[0]["contexts"],
): Promise<RequestedAssociation | undefined> {
  try {
    return await openAssociation({ address, callingAeTitle: aeTitle, contexts, timeouts, signal });
  } catch {
    return undefined;
  }
}

async function selectedBy({ handlers, identifier, model, signal }: Operation): Promise<readonly OutgoingInstance[]> {
  return (await handlers.select?.(identifier, model, signal)) ?? [];
}

/** Counts the sub-operations of one request and reports them. PS3.4 C.4.2.1.6 to C.4.2.1.9. */
class SubOperations {
  readonly #operation: Operation;
  #remaining: number;
  #completed = 0;
  #warning = 0;
  readonly #failedSopInstanceUids: string[] = [];

  constructor(operation: Operation, total: number) {
    this.#operation = operation;
    this.#remaining = total;
  }

  async run(instances: readonly OutgoingInstance[], send: SendOne): Promise<void> {
    const { session, message, signal } = this.#operation;
    for (const instance of instances) {
      if (signal.aborted) return;
      await this.#one(instance, send);
      if (!session.signal.aborted && this.#remaining > 0) {
        await session.respond(message, { status: STATUS.pending, ...this.#counts(), ...this.#remainingCount() });
      }
    }
  }

  final(): FinalResponse {
    const failed = this.#failedSopInstanceUids;
    if (this.#operation.signal.aborted) {
      return this.#withFailures({ status: STATUS.cancel, ...this.#counts(), ...this.#remainingCount() });
    }
    const nothingDone = this.#completed + this.#warning === 0 && failed.length > 0;
    const clean = failed.length === 0 && this.#warning === 0;
    const status = clean
      ? STATUS.success
      : nothingDone
        ? STATUS.unableToPerformSubOperations
        : STATUS.subOperationsCompleteWithFailures;
    return this.#withFailures({ status, ...this.#counts() });
  }

  async #one(instance: OutgoingInstance, send: SendOne): Promise<void> {
    const outcome = await send(instance).then(
      ({ status }) => describeStatus("C-STORE", status).class,
      () => "failure" as const,
    );
    this.#remaining -= 1;
    if (outcome === "success") this.#completed += 1;
    else if (outcome === "warning") this.#warning += 1;
    else this.#failedSopInstanceUids.push(instance.sopInstanceUid);
  }

  /** US: more than 65535 cannot be said. */
  #counts(): CommandSet {
    const failed = this.#failedSopInstanceUids.length;
    return {
      numberOfCompletedSuboperations: Math.min(this.#completed, 0xffff),
      numberOfFailedSuboperations: Math.min(failed, 0xffff),
      numberOfWarningSuboperations: Math.min(this.#warning, 0xffff),
    };
  }

  #remainingCount(): CommandSet {
    return { numberOfRemainingSuboperations: Math.min(this.#remaining, 0xffff) };
  }

  #withFailures(answer: FinalResponse["answer"]): FinalResponse {
    const failed = this.#failedSopInstanceUids;
    if (failed.length === 0) return { answer };
    return { answer, dataSet: encodeFailedInstances(failed, this.#operation.context.transferSyntaxUid) };
  }
}
