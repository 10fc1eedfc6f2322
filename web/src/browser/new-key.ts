const KEY_BYTES = 16;

/** What nobody else comes upon. `crypto.randomUUID` is there over TLS and on this machine alone; this is there everywhere. */
export function newKey(): string {
  return Array.from(crypto.getRandomValues(new Uint8Array(KEY_BYTES)), (byte) =>
    byte.toString(16).padStart(2, "0"),
  ).join("");
}
