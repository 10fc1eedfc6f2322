/** Headers of one part: names in lower case, of several of one name the first. RFC 2045 3. */
export type PartHeaders = ReadonlyMap<string, string>;

/** Folded lines are joined; a line that is no header is passed over, as nothing needed can be in it. */
export function parsePartHeaders(text: string): PartHeaders {
  const headers = new Map<string, string>();
  for (const line of text.replaceAll(/\r\n[ \t]+/g, " ").split("\r\n")) {
    const colon = line.indexOf(":");
    if (colon <= 0) continue;
    const name = line.slice(0, colon).trim().toLowerCase();
    if (!headers.has(name)) headers.set(name, line.slice(colon + 1).trim());
  }
  return headers;
}
