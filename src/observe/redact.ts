import { mayPass } from "./field-rules.ts";

export const REDACTED = "[redacted]";

/** Dotted numbers that are no version or IPv4 address, and UUID-derived UIDs (PS3.5 B.2). */
const UID_LIKE = /\d+(?:\.\d+){4,}|2\.25\.\d{4,}/g;
/** UIDs the standard registers say nothing of a patient. PS3.6 annex A. */
const REGISTERED = /^1\.2\.840\.10008(?:\.|$)/;
const FIELD_NAME = /^[a-z][A-Za-z]{0,39}$/;
/** Names of the log line itself. */
const RESERVED = new Set(["event", "level", "time"]);
const TOKEN_SEPARATORS = /[^\p{L}\p{N}.^-]+/u;

/** Fields fit for a log line: an unlisted name, or a value that its name may not have, is replaced. */
export function redactFields(
  fields: Readonly<Record<string, unknown>>,
  identifiers: ReadonlySet<string>,
): Readonly<Record<string, unknown>> {
  const safe: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(fields)) {
    if (value === undefined) continue;
    if (!FIELD_NAME.test(name) || RESERVED.has(name)) safe.unnamed = REDACTED;
    else safe[name] = mayPass(name, value) && !namesSomeone(value, identifiers) ? value : REDACTED;
  }
  return safe;
}

/** The text of an event is a constant; should one ever hold a value after all, it does not get out. */
export function redactText(text: string, identifiers: ReadonlySet<string>): string {
  const withoutUids = text.replace(UID_LIKE, (uid) => (REGISTERED.test(uid) ? uid : REDACTED));
  return isKnown(withoutUids, identifiers) ? REDACTED : withoutUids;
}

function namesSomeone(value: unknown, identifiers: ReadonlySet<string>): boolean {
  const text = String(value);
  return isKnown(text, identifiers) || (text.match(UID_LIKE) ?? []).some((uid) => !REGISTERED.test(uid));
}

function isKnown(text: string, identifiers: ReadonlySet<string>): boolean {
  return (
    identifiers.size > 0 &&
    (identifiers.has(text) || text.split(TOKEN_SEPARATORS).some((token) => identifiers.has(token)))
  );
}
