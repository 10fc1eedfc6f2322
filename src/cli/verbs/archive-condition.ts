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
      return `resting${code === "ARCHIVE_ASKED_TO_WAIT" ? ", as it asked," : ` after ${code}`}${until === undefined ? "" : ` until ${minuteOf(until)}`}`;
    case "open":
      return closesAt === undefined ? "open" : `open until ${minuteOf(closesAt)}`;
  }
}

export function rateText({ studiesPerMinute, bytesPerSecond }: ArchiveDocument): string {
  const rates = [
    ...(studiesPerMinute === undefined ? [] : [`${studiesPerMinute} studies/min`]),
    ...(bytesPerSecond === undefined ? [] : [`${bytesPerSecond} bytes/s`]),
  ];
  return rates.join(", ") || "unlimited";
}

export function windowsText({ windows, timeZone }: ArchiveDocument): string {
  if (windows === undefined) return "always";
  return `${windows.join(", ")}${timeZone === undefined ? "" : ` (${timeZone})`}`;
}

/** UTC, to the minute. */
function minuteOf(isoTime: string): string {
  return `${isoTime.slice(0, 16).replace("T", " ")}Z`;
}
