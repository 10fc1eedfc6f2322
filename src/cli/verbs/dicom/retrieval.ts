import { identifierFromKeys } from "../../../archive/find-keys.ts";
import type { DataSet } from "../../../dicom/data-set.ts";
import { tagOfKeyword, vrOf } from "../../../dicom/dictionary/dictionary.ts";
import { isFieldUid, trimUid } from "../../../dicom/uid.ts";
import { GatewayError } from "../../../errors/gateway-error.ts";
import type { RetrieveResult, SubOperationCounts } from "../../../network/dimse/service-types.ts";
import { describeStatus, formatStatus, statusError } from "../../../network/dimse/status.ts";
import { counted } from "../../counted.ts";
import { EXIT, type ExitCode } from "../../exit-codes.ts";
import type { Progress } from "../../progress.ts";
import type { PeerOptions } from "./peer.ts";
import type { QueryOptions } from "./query-model.ts";

export type RetrieveOptions = PeerOptions & QueryOptions;

/**
 * What C-MOVE and C-GET are asked for: the keys given and no others. One without a value would match all that there is (PS3.4 C.2.2.2.3), and a
 * UID is no pattern (C.2.2.2.2).
 * @throws GatewayError USAGE_INVALID when there are none, or one of them matches everything
 */
export function retrieveIdentifier({ key, level }: RetrieveOptions): DataSet {
  if (key.length === 0) throw usage("at least one -k Keyword=value is needed");
  const withReturnKeys = identifierFromKeys(level, key);
  for (const text of key) {
    const [keyword = "", value = ""] = text.split(/=(.*)/s);
    if (value.split("\\").some((one) => trimUid(one) === "")) throw usage(`-k ${keyword} has no value`);
    const tag = tagOfKeyword(keyword);
    if (tag !== undefined && vrOf(tag) === "UI" && !value.split("\\").every((one) => isFieldUid(trimUid(one))))
      throw usage(`-k ${keyword} is no UID`);
  }
  return new Map([...withReturnKeys].filter(([, { value }]) => value.kind === "bytes" && value.bytes.length > 0));
}

function usage(problem: string): GatewayError {
  return new GatewayError("USAGE_INVALID", { problem });
}

export function showCounts(progress: Progress): (counts: SubOperationCounts) => void {
  return ({ remaining = 0, completed = 0, failed = 0, warning = 0 }) => {
    const done = completed + failed + warning;
    progress.update(done, done + remaining, failed === 0 ? "" : `${failed} failed`);
  };
}

export interface RetrievalDocument {
  readonly status: string;
  readonly meaning: string;
  readonly completed: number;
  readonly failed: number;
  readonly warning: number;
  readonly failedSopInstanceUids: readonly string[];
}

export function retrievalDocument(service: "C-MOVE" | "C-GET", result: RetrieveResult): RetrievalDocument {
  const { status, completed = 0, failed = 0, warning = 0, failedSopInstanceUids } = result;
  const meaning = describeStatus(service, status).name;
  return { status: formatStatus(status), meaning, completed, failed, warning, failedSopInstanceUids };
}

/** @throws GatewayError when the peer failed before anything came of it */
export function retrievalExitCode(service: "C-MOVE" | "C-GET", result: RetrieveResult): ExitCode {
  const { status, completed = 0, failed = 0, warning = 0 } = result;
  const good = completed + warning;
  const error = statusError(service, status);
  if (error !== undefined && good === 0) throw error;
  const isWhole = error === undefined && failed === 0 && describeStatus(service, status).class === "success";
  if (isWhole) return EXIT.fine;
  return good === 0 ? EXIT.failed : EXIT.partial;
}

export function* retrievalLines(document: RetrievalDocument): Generator<string> {
  const { status, meaning, completed, failed, warning } = document;
  yield `${counted(completed, "instance")} sent, ${warning} with warnings, ${failed} failed: ${meaning} (${status})`;
}
