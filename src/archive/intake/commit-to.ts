import type { DicomAddress } from "../../dicom/ae-title.ts";
import { toGatewayError } from "../../errors/gateway-error.ts";
import type { CommitmentRequestHandler, CommitmentResult, SopReference } from "../../network/dimse/service-types.ts";
import { formatStatus, STATUS } from "../../network/dimse/status.ts";
import type { IntakeStore, WaitingCommitment } from "../../store/intake.ts";
import type { Clock } from "../../units/clock.ts";
import { type DueLoop, startDueLoop } from "../../units/due-loop.ts";
import type { Logger } from "../../units/logger.ts";

/** Of one request; longer ones are refused as a limitation of resources. */
const MAXIMUM_REFERENCES = 20_000;
/** Reasons why we do not commit. PS3.3 C.14.1.1. */
const NO_SUCH_OBJECT = 0x0112;
const CLASS_INSTANCE_CONFLICT = 0x0119;

const FIRST_DELAY_MS = 30_000;
const LONGEST_DELAY_MS = 3_600_000;
const GIVE_UP_MS = 7 * 86_400_000;
const STORE_PAUSE_MS = 2_000;
/** Longer than telling takes; who dies while he tells leaves it to be told again then. */
const LEASE_MS = 180_000;
/** Results that are told side by side. */
const AT_ONCE = 8;

export interface CommitmentOptions {
  readonly store: Pick<
    IntakeStore,
    | "addCommitment"
    | "nextCommitmentDueAtMs"
    | "claimCommitments"
    | "releaseCommitment"
    | "postponeCommitment"
    | "endCommitment"
    | "committableClasses"
  >;
  /** Where a sender takes results; undefined: over the association that asks. */
  readonly addressOf: (aeTitle: string) => DicomAddress | undefined;
  /** Tells a result over an association of its own; the status of the answer. */
  readonly report: (
    to: { readonly address: DicomAddress; readonly calledAeTitle: string },
    result: CommitmentResult,
    signal: AbortSignal,
  ) => Promise<{ readonly status: number }>;
  readonly clock: Clock;
  readonly logger: Logger;
}

export interface Commitment extends AsyncDisposable {
  readonly handler: CommitmentRequestHandler;
}

/** We commit to what we hold on disk, and to what was delivered before it left. PS3.4 J.3. */
export function createCommitment(options: CommitmentOptions): Commitment {
  const { store, addressOf, clock } = options;
  const queue = reportWhenDue(options);
  return {
    async handler({ transactionUid, instances }, { callingAeTitle, calledAeTitle }) {
      if (instances.length > MAXIMUM_REFERENCES) return { status: STATUS.resourceLimitation };
      if (addressOf(callingAeTitle) === undefined)
        return { status: STATUS.success, result: await resultOf(store, transactionUid, instances) };
      const wish = { transactionUid, callingAeTitle, calledAeTitle, instances };
      if ((await store.addCommitment(wish, clock.nowMs())) === "full") return { status: STATUS.resourceLimitation };
      queue.look();
      return { status: STATUS.success };
    },
    [Symbol.asyncDispose]: () => queue[Symbol.asyncDispose](),
  };
}

async function resultOf(
  store: CommitmentOptions["store"],
  transactionUid: string,
  instances: readonly SopReference[],
): Promise<CommitmentResult> {
  const classes = await store.committableClasses(instances.map(({ sopInstanceUid }) => sopInstanceUid));
  const reasonOf = ({ sopClassUid }: SopReference, index: number): number | undefined => {
    if (classes[index] === undefined) return NO_SUCH_OBJECT;
    return classes[index] === sopClassUid ? undefined : CLASS_INSTANCE_CONFLICT;
  };
  const judged = instances.map((one, index) => ({ ...one, failureReason: reasonOf(one, index) }));
  return {
    transactionUid,
    committed: judged.filter(({ failureReason }) => failureReason === undefined),
    failed: judged.filter(({ failureReason }) => failureReason !== undefined),
  };
}

/** Tells results to who asked, until he takes them. */
function reportWhenDue(options: CommitmentOptions): DueLoop {
  const { store, clock, logger } = options;
  return startDueLoop({
    clock,
    pauseMs: STORE_PAUSE_MS,
    async doDue(signal) {
      const due = await store.claimCommitments(AT_ONCE, LEASE_MS, clock.nowMs());
      const told = await Promise.allSettled(due.map((one) => tell(one, options, signal)));
      for (const end of told) if (end.status === "rejected") throw end.reason;
      return due.length > 0;
    },
    nextDueAtMs: () => store.nextCommitmentDueAtMs(),
    onFailure: (thrown) =>
      logger.error("results of storage commitment could not be told", { code: toGatewayError(thrown).code }),
  });
}

async function tell(
  { number, transactionUid, callingAeTitle, calledAeTitle, instances, createdAtMs, attempts }: WaitingCommitment,
  { store, addressOf, report, clock, logger }: CommitmentOptions,
  signal: AbortSignal,
): Promise<void> {
  const address = addressOf(callingAeTitle);
  const problem =
    address === undefined
      ? { reason: "no-address" }
      : await resultOf(store, transactionUid, instances)
          .then((result) => report({ address, calledAeTitle }, result, signal))
          .then(({ status }) => (status === STATUS.success ? undefined : { status: formatStatus(status) }))
          .catch((thrown: unknown) => ({ code: toGatewayError(thrown).code }));
  // What was stopped is told by another gateway, or after the next start.
  if (problem !== undefined && signal.aborted) return await store.releaseCommitment(number, clock.nowMs());
  if (problem === undefined) return await store.endCommitment(number);
  const nowMs = clock.nowMs();
  const facts = { callingAeTitle, ...problem, attempts: attempts + 1 };
  if (nowMs - createdAtMs > GIVE_UP_MS) {
    logger.error("a result of storage commitment was never taken", facts);
    return await store.endCommitment(number);
  }
  logger.warn("a result of storage commitment was not taken", facts);
  await store.postponeCommitment(number, nowMs + Math.min(FIRST_DELAY_MS * 2 ** attempts, LONGEST_DELAY_MS));
}
