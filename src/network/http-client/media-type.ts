/** A media type with its parameters: RFC 9110 8.3.1, RFC 2045 5.1. */
export interface MediaType {
  /** `type/subtype` in lower case. */
  readonly type: string;
  /** Names in lower case, values as they are, quotes and escapes taken off; of several of one name the first. */
  readonly parameters: ReadonlyMap<string, string>;
}

/** Headers of this length are read; what is longer is nobody's media type. */
const MAXIMUM_LENGTH = 4_096;

/**
 * Reads what senders write: parameters in any order, quoted or not, `;` and escapes within quotes. An unquoted value runs to the next `;`,
 * whatever characters it has: boundaries such as `uuid:1=2` come unquoted.
 */
export function parseMediaType(text: string | undefined): MediaType | undefined {
  if (text === undefined || text.length > MAXIMUM_LENGTH) return undefined;
  const end = text.indexOf(";");
  const type = (end === -1 ? text : text.slice(0, end)).trim().toLowerCase();
  if (!/^[^\s/;]+\/[^\s/;]+$/.test(type)) return undefined;
  return { type, parameters: end === -1 ? new Map() : parametersOf(text, end) };
}

function parametersOf(text: string, start: number): ReadonlyMap<string, string> {
  const parameters = new Map<string, string>();
  for (let at = start; at !== -1 && at < text.length; ) {
    const equals = text.indexOf("=", at);
    if (equals === -1) break;
    const semicolon = text.indexOf(";", at + 1);
    if (semicolon !== -1 && semicolon < equals) {
      at = semicolon;
      continue;
    }
    const name = text
      .slice(at + 1, equals)
      .trim()
      .toLowerCase();
    const { value, next } = valueAt(text, equals + 1);
    if (name !== "" && !parameters.has(name)) parameters.set(name, value);
    at = next;
  }
  return parameters;
}

/** `next` is the `;` behind the value, or -1. */
function valueAt(text: string, from: number): { readonly value: string; readonly next: number } {
  let at = from;
  while (text[at] === " " || text[at] === "\t") at += 1;
  if (text[at] !== '"') {
    const next = text.indexOf(";", at);
    return { value: text.slice(at, next === -1 ? undefined : next).trim(), next };
  }
  let value = "";
  for (at += 1; at < text.length && text[at] !== '"'; at += 1) {
    if (text[at] === "\\" && at + 1 < text.length) at += 1;
    value += text[at];
  }
  return { value, next: text.indexOf(";", at) };
}

/** As a parameter's value is written: a token as it is, else quoted. RFC 9110 5.6.4. */
export function quoted(value: string): string {
  return /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/.test(value) ? value : `"${value.replaceAll(/["\\]/g, "\\$&")}"`;
}
