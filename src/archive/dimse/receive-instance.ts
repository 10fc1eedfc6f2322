import { GatewayError, toGatewayError } from "../../errors/gateway-error.ts";
import type {
  IncomingInstance,
  InstanceSink,
  NamedObject,
  StoreAnswer,
  StoreHandler,
} from "../../network/dimse/service-types.ts";
import { formatStatus, STATUS } from "../../network/dimse/status.ts";
import type { InstanceIntake, StagedInstance, TakeElsewhere } from "../../staging/staging-area.ts";
import type { Logger } from "../../units/logger.ts";
import type { Pace } from "../availability/pace.ts";
import type { Expectations, SentInstance } from "../expectations.ts";
import { reasonOf, statusOfRefusal } from "../intake/refusal-status.ts";
import type { TakeUnasked } from "../intake/take-unasked.ts";
import type { Refusals } from "../refusals.ts";
import type { Forwarding } from "./forward-instances.ts";

export interface ReceiverOptions {
  readonly staging: Pick<InstanceIntake, "begin">;
  readonly expectations: Expectations;
  /** The archive that sends it; absent or undefined: nobody can tell. */
  readonly archiveOf?: (incoming: IncomingInstance) => string | undefined;
  readonly refusals: Refusals;
  readonly logger: Logger;
  /** How fast the sender's bytes may come in; absent or undefined: as fast as they do. */
  readonly paceOf?: (incoming: IncomingInstance) => Pace | undefined;
  /** Passes on what belongs to another gateway; absent: there is none that has our AE title too. */
  readonly forward?: Forwarding["forward"] | undefined;
  /** Takes what nobody asked for; absent: it is refused. */
  readonly takeUnasked?: TakeUnasked | undefined;
  /** Told who sent an instance of a study that was asked of the archive. */
  readonly noteSender?: (incoming: IncomingInstance, archive: string) => void;
}

/**
 * Takes instances of expected studies into staging. Acknowledged once whole under its final name: a pulled instance may
 * be asked for again until its study is synced, so the archive is not kept waiting for the disk.
 */
export function receiveIntoStaging(options: ReceiverOptions): StoreHandler {
  const { staging, expectations, archiveOf, paceOf, noteSender } = options;
  const { answerTo, refused } = refusing(options);
  return async (incoming, signal) => {
    try {
      return await openSink(incoming, signal);
    } catch (thrown) {
      return { refuse: refused(incoming, thrown) };
    }
  };

  async function openSink(incoming: IncomingInstance, signal: AbortSignal): Promise<InstanceSink> {
    const pace = paceOf?.(incoming);
    const sender = archiveOf?.(incoming);
    const file = await staging.begin({ ...incoming, sourceAeTitle: incoming.callingAeTitle });
    let failure: unknown;
    let isUnasked = false;
    return {
      async write(chunk) {
        expectations.noteActivity(sender);
        if (failure !== undefined) return;
        try {
          await file.write(chunk);
          await pace?.take(chunk.length, signal);
        } catch (thrown) {
          // The sender still has to be heard out before it can be answered.
          failure = thrown;
          await file.abort();
        }
      },
      async close() {
        try {
          if (failure !== undefined) return answerTo(incoming, failure);
          const staged: StagedInstance = await file.commit(
            (instance) => {
              const { studyInstanceUid } = instance;
              // What comes over the association that asked for one study is of no other, whoever waits for that.
              const isOther = (incoming.askedStudyInstanceUid ?? studyInstanceUid) !== studyInstanceUid;
              isUnasked = isOther || !expectations.isExpected(studyInstanceUid);
              return !isUnasked;
            },
            otherwiseOf(options, incoming),
          );
          expectations.noteArrival(staged.studyInstanceUid, staged.sopInstanceUid);
          const archive = expectations.askedOf(staged.studyInstanceUid);
          if (archive !== undefined) noteSender?.(incoming, archive);
          return STATUS.success;
        } catch (thrown) {
          return answerTo(incoming, thrown, isUnasked);
        }
      },
      async abort(violation, named) {
        if (violation !== undefined) refused(incoming, new GatewayError("INSTANCE_MISMATCH", { violation }), named);
        await file.abort();
      },
    };
  }
}

/** Answers for what is not taken, and keeps why. */
function refusing({ expectations, refusals, logger }: ReceiverOptions) {
  return { answerTo, refused };

  function answerTo(incoming: IncomingInstance, thrown: unknown, isUnasked = false): StoreAnswer {
    const status = refused(incoming, thrown, { isUnasked });
    const errorComment = reasonOf(thrown);
    return errorComment === undefined ? status : { status, errorComment };
  }

  function refused(incoming: IncomingInstance, thrown: unknown, said: Said = {}): number {
    const error = toGatewayError(thrown);
    const status = statusOfRefusal(error);
    const sent = sentInstance(incoming, said);
    const wanted = expectations.whose(sent);
    refusals.noteRefusal([...sent.sopInstanceUids, ...(wanted === undefined ? [] : [wanted.study])], error.code);
    const { violation } = error.details;
    const { remoteAddress: remoteHost } = incoming;
    const facts = { code: error.code, status: formatStatus(status), job: wanted?.job, violation, remoteHost };
    logger.warn("incoming instance refused", facts);
    return status;
  }
}

/** What was learnt of a data set before it was refused; `isUnasked`: it is of a study that nobody expects. */
type Said = NamedObject & { readonly isUnasked?: boolean };

function sentInstance(incoming: IncomingInstance, { isUnasked = false, ...said }: Said): SentInstance {
  const { sopInstanceUid, askedStudyInstanceUid, moveOriginatorAeTitle } = incoming;
  return {
    sopInstanceUids: [sopInstanceUid, ...(said.sopInstanceUid === undefined ? [] : [said.sopInstanceUid])],
    studyInstanceUid: isUnasked ? undefined : (askedStudyInstanceUid ?? said.studyInstanceUid),
    isMoved: !isUnasked && moveOriginatorAeTitle !== undefined,
  };
}

/** What nobody here asked for is another gateway's, or was sent unasked. */
function otherwiseOf({ forward, takeUnasked }: ReceiverOptions, incoming: IncomingInstance): TakeElsewhere | undefined {
  if (forward === undefined) return takeUnasked && ((whole) => takeUnasked(whole, incoming));
  return async (whole) => {
    if (await forward(whole, incoming)) return;
    if (takeUnasked === undefined) throw new GatewayError("INSTANCE_UNSOLICITED");
    await takeUnasked(whole, incoming);
  };
}
