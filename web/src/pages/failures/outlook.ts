import type { Tone } from "../../components/badge.tsx";
import type { Failure } from "../study/documents.ts";

interface Outlook {
  readonly tone: Tone;
  readonly word: string;
}

const CLASSES: Readonly<Record<Failure["class"], Outlook>> = {
  transient: { tone: "busy", word: "passes by itself" },
  ambiguous: { tone: "warn", word: "may or may not have happened" },
  permanent: { tone: "bad", word: "needs somebody" },
};

/** Codes that are tried again by themselves, and meet the same until a person acts. */
const UNTIL_SOMEBODY_ACTS: ReadonlySet<string> = new Set(["ARCHIVE_PAUSED"]);

/** What ended has used up its tries: of such studies a code that passes elsewhere passes no more by itself. */
export function outlookOf({ code, class: errorClass, studies }: Pick<Failure, "code" | "class" | "studies">): Outlook {
  if (errorClass === "transient" && studies === 0 && UNTIL_SOMEBODY_ACTS.has(code))
    return { tone: "warn", word: "waits for somebody" };
  return CLASSES[errorClass === "transient" && studies > 0 ? "permanent" : errorClass];
}
