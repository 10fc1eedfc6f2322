import { parseSopInstanceUid, type SopInstanceUid, type StudyInstanceUid } from "../../dicom/uid.ts";
import type { InstanceSink, StoreHandler } from "../../network/dimse/service-types.ts";
import { describeStatus, STATUS, statusIn } from "../../network/dimse/status.ts";

/** What has become of the instances of a C-GET so far; both sets grow while it runs. */
export interface Received {
  readonly arrived: ReadonlySet<SopInstanceUid>;
  /** Sent, and not taken by us: another association would not help. */
  readonly refused: ReadonlySet<SopInstanceUid>;
}

export interface WatchedStore extends Received {
  readonly handler: StoreHandler;
}

/** Read and dropped: it is here already. */
const DROPPED: InstanceSink = { write: () => {}, close: async () => STATUS.success, abort: async () => {} };

/**
 * Writes down what a store takes and what it refuses. What it has taken is not taken again: a second association may bring it converted
 * to another syntax.
 * @param study that is asked for over the association
 */
export function watchStore(store: StoreHandler, study?: StudyInstanceUid): WatchedStore {
  const arrived = new Set<SopInstanceUid>();
  const refused = new Set<SopInstanceUid>();
  const settle = (uid: SopInstanceUid, status: number): number => {
    const isTaken = describeStatus("C-STORE", status).class !== "failure";
    (isTaken ? arrived : refused).add(uid);
    return status;
  };
  return {
    arrived,
    refused,
    async handler(instance, signal) {
      const uid = parseSopInstanceUid(instance.sopInstanceUid);
      if (arrived.has(uid)) return DROPPED;
      const asked = study === undefined ? instance : { ...instance, askedStudyInstanceUid: study };
      const sink = await store(asked, signal);
      if ("refuse" in sink) return { refuse: settle(uid, sink.refuse) };
      return {
        write: (chunk) => sink.write(chunk),
        async close() {
          const answer = await sink.close();
          settle(uid, statusIn(answer));
          return answer;
        },
        async abort(violation, named) {
          if (violation !== undefined) refused.add(uid);
          await sink.abort(violation, named);
        },
      };
    },
  };
}
