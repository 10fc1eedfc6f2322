import type { Study } from "../../api/documents.ts";
import { countText } from "../../components/numbers.ts";
import type { DeidReport, StudyEvent } from "./documents.ts";

/** "attempts 2, code ARCHIVE_UNABLE". */
export function detailText(detail: StudyEvent["detail"]): string {
  return Object.entries(detail)
    .filter(([, value]) => value !== "")
    .map(([name, value]) => `${spaced(name)} ${value}`)
    .join(", ");
}

/** "durationMs" as "duration ms". */
function spaced(name: string): string {
  return name.replaceAll(/([a-z])([A-Z])/g, (_, before: string, after: string) => `${before} ${after.toLowerCase()}`);
}

export function countsText(counts: Readonly<Record<string, number>>): string {
  return Object.entries(counts)
    .map(([name, count]) => `${name} ${count}`)
    .join(", ");
}

const PROOFS: Readonly<Record<string, string>> = {
  sha256: "contents read back and compared",
  digest: "sizes and sums compared",
  uids: "every instance listed",
};

/** What a confirmed delivery was read back by. */
export function proofText(proof: string | undefined): string {
  return proof === undefined ? "" : (PROOFS[proof] ?? proof);
}

const VERDICTS = {
  complete: "complete: everything that the archive lists was received",
  partial: "partial: the archive lists more than was received",
  unknown: "not known: the archive does not list its instances",
} as const;

export function verdictText(verdict: Study["verdict"]): string {
  return verdict === null ? "not known yet" : VERDICTS[verdict];
}

/** Where no report is shown: one that is still asked for, or that was removed with a withdrawn patient's copies, says nothing of what was done. */
export function withoutReportText(isAsked: boolean, { finishedAt }: Pick<Study, "finishedAt">): string {
  if (isAsked) return "Loading…";
  return finishedAt === undefined ? "It was not de-identified yet." : "No report of a de-identification is kept.";
}

const REASONS: Readonly<Record<string, string>> = {
  "released-without": "left out when the study was released",
  "series-not-requested": "its series was not asked for",
  "too-few-instances": "its series has too few instances",
  "series-description": "by the description of its series",
  modality: "by its modality",
  manufacturer: "by its manufacturer",
  "series-number": "by the number of its series",
  "sop-class": "by its kind of object",
  dicomdir: "an index of a medium",
  document: "a document",
  video: "a video",
};

/** Why an instance stayed behind: a filter's reason in words, or a code as it is. */
export function reasonText(reason: string): string {
  return REASONS[reason] ?? reason;
}

/** "2 instances: video: 2 Video Photographic Image Storage (XC)". */
export function stayedBehindText({ code, reason, count, kinds = [] }: DeidReport["reasons"][number]): string {
  const why = code === "EXCLUDED" ? reasonText(reason) : `${reason} (${code})`;
  return [countText(count, "instance"), why, ...(kinds.length === 0 ? [] : [kindsText(kinds)])].join(": ");
}

function kindsText(kinds: NonNullable<DeidReport["reasons"][number]["kinds"]>): string {
  return kinds
    .map(({ sopClass, modality, count }) => {
      const name = sopClass === "" ? "of another SOP class" : wordsOf(sopClass);
      return `${count} ${name}${modality === "" ? "" : ` (${modality})`}`;
    })
    .join(", ");
}

/** A keyword of the standard as words: "CTImageStorage" is "CT Image Storage". */
function wordsOf(keyword: string): string {
  return keyword.replace(/(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])/g, " ");
}

/** States in which nothing is done by itself any more, and a person can have it tried again. */
const RETRYABLE: ReadonlySet<Study["state"]> = new Set(["failed", "not-found", "held", "quarantined", "cancelled"]);
const UNDER_WAY: ReadonlySet<Study["state"]> = new Set(["queued", "waiting", "running"]);

export function canRetry({ state }: Pick<Study, "state">): boolean {
  return RETRYABLE.has(state);
}

export function canCancel({ state }: Pick<Study, "state">): boolean {
  return UNDER_WAY.has(state);
}
