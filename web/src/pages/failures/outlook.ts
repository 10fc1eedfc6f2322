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

/** What ended has used up its tries: of such studies a code that passes elsewhere passes no more by itself. */
export function outlookOf({ class: errorClass, studies }: Pick<Failure, "class" | "studies">): Outlook {
  return CLASSES[errorClass === "transient" && studies > 0 ? "permanent" : errorClass];
}
