import type { Expectations } from "./check-element.ts";
import type { FileWindow } from "./file-window.ts";
import { tokenize } from "./tokenizer.ts";

/** Preamble, "DICM" and the group length element. PS3.10 7.1. */
const PREFIX_BYTES = 128 + 4 + 12;

type MetaCheck = { readonly ok: true; readonly endOffset: number } | { readonly ok: false; readonly reason: string };

/** The preamble is zero, and group 0002 holds exactly what the gateway writes, value for value. */
export async function checkMeta(window: FileWindow, expectations: Expectations): Promise<MetaCheck> {
  const prefix = await window.load(0, PREFIX_BYTES);
  if (prefix.subarray(0, 128).some((byte) => byte !== 0)) return { ok: false, reason: "preamble" };
  if (prefix.toString("latin1", 128, 132) !== "DICM") return { ok: false, reason: "magic" };
  // (0002,0000) UL, length 4.
  if (prefix.toString("hex", 132, 140) !== "02000000554c0400") return { ok: false, reason: "meta-group-length" };
  const endOffset = PREFIX_BYTES + prefix.readUInt32LE(140);
  if (endOffset > window.sizeBytes) return { ok: false, reason: "meta-group-length" };

  const remaining = new Map(expectations.meta);
  for (const token of tokenize(window, PREFIX_BYTES, endOffset)) {
    if (token.kind === "need") {
      await window.load(token.offset, token.length);
      continue;
    }
    const expected = remaining.get(token.tag);
    const bytes = window.held(token.valueOffset, token.length) ?? (await window.load(token.valueOffset, token.length));
    if (expected === undefined || !bytes.equals(expected)) return { ok: false, reason: "file-meta" };
    remaining.delete(token.tag);
  }
  return remaining.size === 0 ? { ok: true, endOffset } : { ok: false, reason: "file-meta" };
}
