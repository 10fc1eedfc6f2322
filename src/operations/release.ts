import type { ExclusionReason } from "../deid/outcome.ts";
import { standardTag } from "../deid/profiles/rule-target.ts";
import { formatTag, tagOf } from "../dicom/tag.ts";
import { GatewayError } from "../errors/gateway-error.ts";
import { errorRegistry } from "../errors/registry.ts";
import type { JobRecord, LedgerEntry } from "../store/records.ts";
import type { OperationsContext } from "./context.ts";
import type { InstanceDocument, ReleaseResultDocument } from "./documents.ts";

export interface ReleaseWish {
  /** Why, in the operator's words: without anything that tells the patient. */
  readonly reason: string;
  /** Numbers of instances as `showStudy` lists them, or their new SOP Instance UIDs. */
  readonly leaveOut: readonly string[];
  /** All that were rejected, and those that an earlier release left out. */
  readonly leaveOutRejected: boolean;
  /** Keyword, "(gggg,eeee)", or a path of them with slashes. */
  readonly allowTags: readonly string[];
}

const RELEASED_WITHOUT: ExclusionReason = "released-without";
const REASON_LIMIT = 200;
const TAGS_LIMIT = 50;
const PRIVATE_TAG = /^\(?([0-9A-F]{4}),?([0-9A-F]{4})\)?$/i;
/** PS3.5 9: components with dots between them. */
const UID_LIKE = /\d+(?:\.\d+){3,}/;
const PLAIN_LINE = /^[^\p{Cc}]+$/u;
/** A shorter identifier is looked for as a word of its own. */
const LONG_IDENTIFIER = 5;

/** See `Operations.releaseStudy`. */
export async function releaseStudy(
  { store, clock, actor }: OperationsContext,
  id: string,
  wish: ReleaseWish,
): Promise<ReleaseResultDocument> {
  const job = await store.job(id);
  if (job.state !== "quarantined") throw new GatewayError("STUDY_NOT_QUARANTINED", { job: id, state: job.state });
  const reason = checkedReason(wish.reason, job);
  const ledger = await store.ledger(id);
  const leaveOut = leftOut(ledger, wish);
  const allowTags = [...new Set(wish.allowTags.map(placeOf))];
  if (leaveOut.length === 0 && allowTags.length === 0)
    throw invalid("no exception is named; `study retry` runs it again without any");
  if (allowTags.length > TAGS_LIMIT) throw invalid(`more than ${TAGS_LIMIT} tags are allowed`);
  const received = ledger.filter(({ receivedAtMs }) => receivedAtMs !== undefined);
  if (received.every(({ sopInstanceUid }) => leaveOut.includes(sopInstanceUid)))
    throw invalid("no instance would be left; `study cancel` is for studies that nobody wants");
  const detail = {
    reason,
    code: job.code ?? "",
    leftOut: leaveOut.length,
    leftOutOf: received.length,
    allowedTags: allowTags.join(" "),
  };
  const done = await store.releaseJob(
    id,
    { actor: actor.name, reason, leaveOut, allowTags },
    { event: "study-released", actor, outcome: "success", job: id, project: job.project, detail },
    clock.nowMs(),
  );
  if (!done) throw new GatewayError("STUDY_NOT_QUARANTINED", { job: id });
  return { id, released: true, leftOut: leaveOut.length, allowedTags: allowTags };
}

function invalid(problem: string): GatewayError {
  return new GatewayError("RELEASE_INVALID", { problem });
}

/** It stands in the audit trail for good: what names the patient must not get there. */
function checkedReason(text: string, job: JobRecord): string {
  const reason = text.trim();
  if (reason.length === 0 || reason.length > REASON_LIMIT || !PLAIN_LINE.test(reason))
    throw invalid(`the reason is to be one line of 1 to ${REASON_LIMIT} characters`);
  const folded = reason.toLowerCase();
  const words = new Set(folded.split(/[\s,;:()"']+/));
  const identifiers = [job.patientId, job.accessionNumber, job.studyInstanceUid]
    .filter((each) => each !== undefined)
    .map((each) => each.trim().toLowerCase());
  const isTold = identifiers.some(
    (each) => each !== "" && (words.has(each) || (each.length >= LONG_IDENTIFIER && folded.includes(each))),
  );
  if (isTold || UID_LIKE.test(reason)) throw invalid("the reason holds an identifier of the study");
  return reason;
}

/** SOP Instance UIDs of the originals. */
function leftOut(ledger: readonly LedgerEntry[], { leaveOut, leaveOutRejected }: ReleaseWish): readonly string[] {
  const named = leaveOut.map((name) => {
    const entry = /^\d{1,9}$/.test(name)
      ? ledger[Number(name) - 1]
      : ledger.find(({ pseudoSopInstanceUid }) => pseudoSopInstanceUid === name);
    if (entry === undefined) throw invalid("an instance that is to be left out is not one of the study's");
    return entry.sopInstanceUid;
  });
  const isMeant = (entry: LedgerEntry): boolean => isRejected(entry) || entry.reason === RELEASED_WITHOUT;
  const rejected = leaveOutRejected ? ledger.filter(isMeant).map(({ sopInstanceUid }) => sopInstanceUid) : [];
  return [...new Set([...named, ...rejected])];
}

/** Kept back by the engine or by verification; a filter's reason is no error code. */
function isRejected({ excludedAtMs, reason }: LedgerEntry): boolean {
  return excludedAtMs !== undefined && reason !== undefined && reason in errorRegistry;
}

/** As verification names places: "(0040,A730)/(0040,A160)". */
function placeOf(path: string): string {
  const tags = path.split("/").map((part) => {
    const text = part.trim();
    const [, group, element] = PRIVATE_TAG.exec(text) ?? [];
    const tag =
      standardTag(text) ?? (group !== undefined && element !== undefined ? privateTag(group, element) : undefined);
    if (tag === undefined) throw invalid("a tag is neither a keyword of PS3.6 nor (gggg,eeee)");
    return formatTag(tag);
  });
  return tags.join("/");
}

function privateTag(group: string, element: string) {
  const number = Number.parseInt(group + element, 16);
  return ((number >>> 16) & 1) === 1 ? tagOf(number) : undefined;
}

/** What a person needs to decide on: which instances, and why, without a word of the patient. Their order is that of the ledger. */
export function describeInstances(ledger: readonly LedgerEntry[]): readonly InstanceDocument[] {
  const series = [...new Set(ledger.map(({ seriesInstanceUid }) => seriesInstanceUid))].sort();
  return ledger.map((entry, index) => {
    const { reason, reasonDetail, pseudoSopInstanceUid } = entry;
    return {
      number: index + 1,
      series: series.indexOf(entry.seriesInstanceUid) + 1,
      state: stateOf(entry),
      ...(reason === undefined ? {} : { code: reason }),
      ...(reasonDetail === undefined ? {} : { reason: reasonDetail }),
      ...(pseudoSopInstanceUid === undefined ? {} : { pseudoSopInstanceUid }),
    };
  });
}

function stateOf(entry: LedgerEntry): InstanceDocument["state"] {
  if (entry.deliveredAtMs !== undefined) return "delivered";
  if (isRejected(entry)) return "rejected";
  if (entry.excludedAtMs !== undefined) return "left out";
  if (entry.deidentifiedAtMs !== undefined) return "passed";
  return entry.receivedAtMs === undefined ? "missing" : "received";
}
