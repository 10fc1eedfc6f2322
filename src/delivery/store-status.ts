import { GatewayError } from "../errors/gateway-error.ts";
import type { ErrorCode } from "../errors/registry.ts";
import { formatStatus } from "../network/dimse/status.ts";

interface StatusRow {
  readonly from: number;
  readonly to: number;
  /** Undefined: stored. */
  readonly code: ErrorCode | undefined;
}

/** Answers to C-STORE, and failure reasons of STOW-RS: PS3.4 B.2.3 table B.2-1, PS3.7 C. Warnings mean that the object was stored; the store is read back all the same. */
const STORE_STATUSES: readonly StatusRow[] = [
  { from: 0x0000, to: 0x0000, code: undefined },
  { from: 0x0001, to: 0x0001, code: undefined },
  { from: 0x0107, to: 0x0107, code: undefined },
  // Duplicate SOP instance: it is there already.
  { from: 0x0111, to: 0x0111, code: undefined },
  { from: 0x0116, to: 0x0116, code: undefined },
  { from: 0xb000, to: 0xbfff, code: undefined },
  { from: 0x0213, to: 0x0213, code: "DELIVERY_REFUSED_FOR_NOW" },
  { from: 0xa700, to: 0xa7ff, code: "DELIVERY_REFUSED_FOR_NOW" },
];

/** What is wrong when a store answers so; undefined: the instance is there. */
export function storeFailureOf(status: number): ErrorCode | undefined {
  const row = STORE_STATUSES.find(({ from, to }) => status >= from && status <= to);
  return row === undefined ? "DELIVERY_REFUSED" : row.code;
}

/** @throws GatewayError DELIVERY_REFUSED_FOR_NOW, DELIVERY_REFUSED */
export function checkStoreStatus(status: number, destination: string): void {
  const code = storeFailureOf(status);
  if (code !== undefined) throw new GatewayError(code, { destination, status: formatStatus(status) });
}
