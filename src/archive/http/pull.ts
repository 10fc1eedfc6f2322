import type { SopInstanceUid, StudyInstanceUid } from "../../dicom/uid.ts";
import { toGatewayError } from "../../errors/gateway-error.ts";
import { STATUS } from "../../network/dimse/status.ts";
import { laterOf, retryAfterOf } from "../../network/http-client/http-error.ts";
import { InstanceError } from "../../network/instance-files/instance-error.ts";
import { keepInstances } from "../../network/instance-files/keep-instance.ts";
import type { MultipartPart } from "../../network/multipart/reader.ts";
import { concurrently } from "../../units/concurrently.ts";
import type { ListedInstance, RetrieveOutcome, RetrieveRequest } from "../archive.ts";
import { limitSilence } from "../dimse/silence.ts";
import { type InstanceTaker, noteRefused, openStagingStore } from "./staging-store.ts";

/** One request of a retrieval: a study, a series, or an instance. */
export interface Pull {
  readonly studyInstanceUid: StudyInstanceUid;
  readonly seriesInstanceUid?: ListedInstance["seriesInstanceUid"];
  readonly sopInstanceUid?: SopInstanceUid;
}

/** The instances that one request brings, as streams of Part 10 files. */
type PullSource = (pull: Pull, signal: AbortSignal) => AsyncIterable<Pick<MultipartPart, "pipe">>;

export interface PullWay {
  readonly source: PullSource;
  /** Requests at once. */
  readonly parallel: number;
}

/** A retrieval that brings no instance for so long, however often a byte comes, and one that never ends, are ended. */
const PATIENCE = { timeoutMs: 24 * 3_600_000, longestMs: 7 * 24 * 3_600_000 };

/** What says when to come again, and what may pass, is worth more than what stays: whoever comes again hears that anew. */
function hopeOf(thrown: unknown): number {
  if (retryAfterOf(thrown) !== undefined) return 2;
  return toGatewayError(thrown).class === "permanent" ? 0 : 1;
}

/** The requests that a retrieval is made of: the smallest that were named. */
function pullsOf({ studyInstanceUid, seriesInstanceUids, instances }: RetrieveRequest): readonly Pull[] {
  if (instances !== undefined) {
    return instances.map(({ seriesInstanceUid, sopInstanceUid }) => ({
      studyInstanceUid,
      seriesInstanceUid,
      sopInstanceUid,
    }));
  }
  return (
    seriesInstanceUids?.map((seriesInstanceUid) => ({ studyInstanceUid, seriesInstanceUid })) ?? [{ studyInstanceUid }]
  );
}

/**
 * Carries a retrieval out over connections of our own. What cannot be taken costs itself alone; whether all has come is told by
 * verification, never by this.
 * @throws GatewayError what a request failed with, when nothing came of any: the first, but for later ones that may pass
 */
export async function pullIntoStaging(
  request: RetrieveRequest,
  taker: InstanceTaker,
  { source, parallel }: PullWay,
  signal: AbortSignal,
): Promise<RetrieveOutcome> {
  const { studyInstanceUid } = request;
  using expectation = taker.expectations.expect(studyInstanceUid, { job: request.job });
  using patience = limitSilence(PATIENCE, signal);
  await using store = await openStagingStore(taker, studyInstanceUid, patience.signal);
  let failed = 0;
  let failure: unknown;
  let retryAfterMs: number | undefined;
  const fail = (thrown: unknown): void => {
    signal.throwIfAborted();
    failed += 1;
    if (failure === undefined || hopeOf(thrown) > hopeOf(failure)) failure = thrown;
    retryAfterMs = laterOf(retryAfterMs, retryAfterOf(thrown));
  };
  await concurrently(pullsOf(request), parallel, async (pull) => {
    if (retryAfterMs !== undefined || request.isSpared?.() === true) {
      // It asked to be left alone.
      failed += 1;
      return;
    }
    try {
      for await (const taken of keepInstances((each) => source(pull, each), store, pull, patience.signal)) {
        patience.touch();
        if (taken instanceof InstanceError) {
          noteRefused(taker.refusals, taken, taken.instances, studyInstanceUid);
          fail(taken);
        }
      }
    } catch (thrown) {
      fail(thrown);
    }
  });
  const completed = expectation.arrived.size;
  if (completed === 0 && failure !== undefined) throw failure;
  const status = failed === 0 ? STATUS.success : STATUS.subOperationsCompleteWithFailures;
  return { status, completed, failed, ...(retryAfterMs !== undefined && { retryAfterMs }) };
}
