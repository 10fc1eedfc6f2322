import type { Profile } from "../profiles/profile.ts";
import type { ContentMode } from "../rules/content-rules.ts";

/** Storage SOP classes. PS3.4 B.5. */
const REPORT_ROOT = "1.2.840.10008.5.1.4.1.1.88.";
const KEY_OBJECT_SELECTION = "1.2.840.10008.5.1.4.1.1.88.59";
const PRESENTATION_ROOT = "1.2.840.10008.5.1.4.1.1.11.";

type Decided = Pick<Profile, "options" | "sr">;

/** Whether a structured report, key object or presentation state may leave at all. */
export function isStructuredAdmitted(sopClassUid: string, profile: Decided): boolean {
  if (!isReport(sopClassUid)) return true;
  return profile.sr === "skeleton" || contentModeOf(sopClassUid, profile) === "clean";
}

/** Key objects and presentation states keep their references whatever the options; a report is worth nothing without the rest. */
export function contentModeOf(sopClassUid: string, { options, sr }: Decided): ContentMode {
  const isCleaned = options.includes("clean-structured-content");
  if (isReport(sopClassUid)) return isCleaned && sr === "keep" ? "clean" : "none";
  if (isCleaned) return "clean";
  return sopClassUid === KEY_OBJECT_SELECTION || sopClassUid.startsWith(PRESENTATION_ROOT) ? "references" : "none";
}

function isReport(sopClassUid: string): boolean {
  return sopClassUid.startsWith(REPORT_ROOT) && sopClassUid !== KEY_OBJECT_SELECTION;
}
