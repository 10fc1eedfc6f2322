import { randomUUID } from "node:crypto";
import { abortAfter } from "../../units/abort.ts";
import { throwIfCancelled } from "./cancellation.ts";
import type { Association, CommitmentHandler, CommitmentResult, SopReference } from "./service-types.ts";
import { describeStatus } from "./status.ts";

/** References of one N-ACTION: some 100 KB. */
const REFERENCES_OF_A_REQUEST = 1_000;

/** Meanings of Failure Reason. PS3.3 C.14.1.1. */
const FAILURE_REASONS: ReadonlyMap<number, string> = new Map([
  [0x0110, "Processing failure"],
  [0x0112, "No such object instance"],
  [0x0119, "Class-instance conflict"],
  [0x0122, "Referenced SOP class not supported"],
  [0x0131, "Duplicate transaction UID"],
  [0x0213, "Resource limitation"],
]);

/** In words why an archive does not commit. */
export function describeFailureReason(reason: number | undefined): string {
  if (reason === undefined) return "No reason given";
  return FAILURE_REASONS.get(reason) ?? describeStatus("N-ACTION", reason).name;
}

export interface CommitmentOutcome extends Omit<CommitmentResult, "transactionUid"> {
  /** Of these the archive said nothing in time: it may have committed to them or not. */
  readonly unanswered: readonly SopReference[];
}

export interface CommitmentsOptions {
  /** How long after the last request results are waited for. */
  readonly timeoutMs: number;
  /** A new UID for each transaction; one of PS3.5 B.2 when absent. */
  readonly newTransactionUid?: () => string;
}

/** Requests for storage commitment, and the results that come for them, over whichever association. */
export interface Commitments {
  /** For `commitmentResult` of the association that asks, and of the server that archives report to. */
  readonly handler: CommitmentHandler;
  /**
   * Asks for all of them, so many at a time, and waits for the results. Commitment counts only for an instance that a result names as
   * committed and none as failed.
   * @throws GatewayError NO_PRESENTATION_CONTEXT, CANCELLED, or what ended the association while it was asked
   */
  request(
    association: Pick<Association, "requestCommitment">,
    instances: readonly SopReference[],
    signal?: AbortSignal,
  ): Promise<CommitmentOutcome>;
}

interface Transaction {
  readonly instances: readonly SopReference[];
  readonly result: PromiseWithResolvers<Omit<CommitmentResult, "transactionUid">>;
}

export function createCommitments(options: CommitmentsOptions): Commitments {
  const { timeoutMs, newTransactionUid = uuidDerivedUid } = options;
  const open = new Map<string, Transaction>();

  /** A transaction whose request was refused has its result at once. */
  const ask = async (association: Pick<Association, "requestCommitment">, part: readonly SopReference[]) => {
    const transactionUid = newTransactionUid();
    const transaction: Transaction = { instances: part, result: Promise.withResolvers() };
    // Before it is asked: the result may overtake the answer.
    open.set(transactionUid, transaction);
    const { status } = await association.requestCommitment({ transactionUid, instances: part }).catch((thrown) => {
      open.delete(transactionUid);
      throw thrown;
    });
    const statusClass = describeStatus("N-ACTION", status).class;
    if (statusClass !== "success" && statusClass !== "warning") {
      open.delete(transactionUid);
      transaction.result.resolve({
        committed: [],
        failed: part.map((reference) => ({ ...reference, failureReason: status })),
      });
    }
    return { transactionUid, transaction };
  };

  return {
    handler({ transactionUid, committed, failed }) {
      const transaction = open.get(transactionUid);
      transaction?.result.resolve({ committed, failed });
      return open.delete(transactionUid);
    },
    async request(association, instances, signal) {
      const asked: Awaited<ReturnType<typeof ask>>[] = [];
      try {
        for (let start = 0; start < instances.length; start += REFERENCES_OF_A_REQUEST) {
          throwIfCancelled(signal);
          asked.push(await ask(association, instances.slice(start, start + REFERENCES_OF_A_REQUEST)));
        }
        using limit = abortAfter(timeoutMs, signal);
        const results: CommitmentOutcome[] = [];
        for (const { transaction } of asked) {
          const result = await resultBefore(limit, transaction);
          results.push(outcomeOf(transaction.instances, result));
        }
        throwIfCancelled(signal);
        return {
          committed: results.flatMap(({ committed }) => committed),
          failed: results.flatMap(({ failed }) => failed),
          unanswered: results.flatMap(({ unanswered }) => unanswered),
        };
      } finally {
        for (const { transactionUid } of asked) open.delete(transactionUid);
      }
    },
  };
}

async function resultBefore(
  limit: AbortSignal,
  { result }: Transaction,
): Promise<Omit<CommitmentResult, "transactionUid"> | undefined> {
  const ended = Promise.withResolvers<undefined>();
  const onAbort = (): void => ended.resolve(undefined);
  if (limit.aborted) onAbort();
  limit.addEventListener("abort", onAbort, { once: true });
  try {
    return await Promise.race([result.promise, ended.promise]);
  } finally {
    limit.removeEventListener("abort", onAbort);
  }
}

/** Each instance that was asked about stands in one of the lists; what nobody asked about in none. */
function outcomeOf(
  instances: readonly SopReference[],
  result: Omit<CommitmentResult, "transactionUid"> | undefined,
): CommitmentOutcome {
  const failed = new Map(result?.failed.map((one) => [one.sopInstanceUid, one.failureReason]));
  const committed = new Set(result?.committed.map(({ sopInstanceUid }) => sopInstanceUid));
  const isFailed = ({ sopInstanceUid }: SopReference): boolean => failed.has(sopInstanceUid);
  const isCommitted = (one: SopReference): boolean => committed.has(one.sopInstanceUid) && !isFailed(one);
  return {
    committed: instances.filter(isCommitted),
    failed: instances.filter(isFailed).map((one) => ({ ...one, failureReason: failed.get(one.sopInstanceUid) })),
    unanswered: instances.filter((one) => !isFailed(one) && !isCommitted(one)),
  };
}

/** A UID from a UUID. PS3.5 B.2. */
function uuidDerivedUid(): string {
  return `2.25.${BigInt(`0x${randomUUID().replaceAll("-", "")}`)}`;
}
