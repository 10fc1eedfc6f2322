import { createHash } from "node:crypto";

/** RFC 3986 2.3: characters that change the meaning of no address. */
const UNRESERVED = /^[A-Za-z0-9._~-]+$/;
/** PS3.4 C.2.2.2.4, and the delimiter of values, PS3.5 6.2: with these a query asks for more than one study. */
const WIDENING = /[*?\\]/;

/** Why a text may be no segment of an XNAT address; undefined: it may. */
export function unsafeSegmentReason(text: string): string | undefined {
  if (text === "") return "must not be empty";
  if (text === "." || text === "..") return "must not be a dot-segment ('.' or '..')";
  if (!UNRESERVED.test(text)) return "must contain only RFC 3986 unreserved characters [A-Za-z0-9._~-]";
  return undefined;
}

export function isSafeSegment(text: string): boolean {
  return unsafeSegmentReason(text) === undefined;
}

export interface CleanAccessions {
  /** Distinct, in the order of their first mention. */
  readonly accessions: readonly string[];
  /** Values that are no text, blank, or would match more than one study. */
  readonly dropped: number;
  readonly repeated: number;
}

/** What of an answer may be asked a PACS for. */
export function cleanAccessions(values: readonly unknown[]): CleanAccessions {
  const usable = values.filter(
    (value): value is string => typeof value === "string" && value.trim() !== "" && !WIDENING.test(value),
  );
  const accessions = [...new Set(usable)];
  return { accessions, dropped: values.length - usable.length, repeated: usable.length - accessions.length };
}

/** How XNAT writes an accession number as a session's label: what it cannot have becomes an underscore. */
export function labelOfAccession(accession: string): string {
  return accession.replaceAll(/[^A-Za-z0-9_-]/g, "_");
}

/** An address of mail as the original keeps it: domains have no letter case (RFC 5321 2.4), and administrators type them in any. */
export function plainEmail(address: string): string {
  return address.replace(/@[^@]*$/, (domain) => domain.toLowerCase());
}

/** By what a query is named in a log: letter case and blanks do not count. */
export function queryDigest(query: string): string {
  const normal = query.toLowerCase().split(/\s+/).filter(Boolean).join(" ");
  return `sha256:${createHash("sha256").update(normal, "utf8").digest("hex").slice(0, 12)}`;
}
