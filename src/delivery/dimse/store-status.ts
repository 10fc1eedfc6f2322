import { GatewayError } from "../../errors/gateway-error.ts";
import type { ErrorCode } from "../../errors/registry.ts";

interface StatusRow {
  readonly from: number;
  readonly to: number;
  /** Undefined: stored. */
  readonly code: ErrorCode | undefined;
}

/** Answers to C-STORE. PS3.4 B.2.3 table B.2-1; warnings mean that the object was stored. */
const STORE_STATUSES: readonly StatusRow[] = [
  { from: 0x0000, to: 0x0000, code: undefined },
  { from: 0xb000, to: 0xb000, code: undefined },
  { from: 0xb006, to: 0xb007, code: undefined },
  { from: 0xa700, to: 0xa7ff, code: "DELIVERY_REFUSED_FOR_NOW" },
];

/** @throws GatewayError DELIVERY_REFUSED_FOR_NOW, DELIVERY_REFUSED */
export function checkStoreStatus(status: number, destination: string): void {
  const row = STORE_STATUSES.find(({ from, to }) => status >= from && status <= to);
  const code = row === undefined ? "DELIVERY_REFUSED" : row.code;
  if (code !== undefined)
    throw new GatewayError(code, { destination, status: `${status.toString(16).toUpperCase().padStart(4, "0")}H` });
}
