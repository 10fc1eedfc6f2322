import type { ArchiveDocument } from "../../operations/documents.ts";

/** Whether an archive is used now, and when that changes, in one line. */
export function archiveCondition({ state, code, until, opensAt, closesAt }: ArchiveDocument): string {
  const opens = opensAt === undefined ? "" : ` until ${minuteOf(opensAt)}`;
  switch (state) {
    case "paused":
      return "paused";
    case "closed":
      return `closed${opens}`;
    case "resting":
      return `resting after ${code}${until === undefined ? "" : ` until ${minuteOf(until)}`}`;
    case "open":
      return closesAt === undefined ? "open" : `open until ${minuteOf(closesAt)}`;
  }
}

/** UTC, to the minute. */
function minuteOf(isoTime: string): string {
  return `${isoTime.slice(0, 16).replace("T", " ")}Z`;
}
