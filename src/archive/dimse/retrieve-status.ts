import { GatewayError } from "../../errors/gateway-error.ts";
import type { ErrorCode } from "../../errors/registry.ts";
import type { RetrieveResult } from "../../network/dimse/service-types.ts";
import { formatStatus, STATUS } from "../../network/dimse/status.ts";

interface StatusRow {
  readonly from: number;
  readonly to: number;
  /** Undefined: the retrieval ended as far as the archive is concerned; what arrived is counted elsewhere. */
  readonly code: ErrorCode | undefined;
}

/** Final statuses of C-MOVE and C-GET. PS3.4 C.4.2.1.5 table C.4-2 and C.4.3.1.4 table C.4-3; PS3.7 C. */
const FINAL_STATUSES: readonly StatusRow[] = [
  { from: 0x0000, to: 0x0000, code: undefined },
  { from: 0xb000, to: 0xb000, code: undefined },
  { from: 0x0107, to: 0x0107, code: undefined },
  { from: 0x0116, to: 0x0116, code: undefined },
  { from: 0x0213, to: 0x0213, code: "ARCHIVE_OUT_OF_RESOURCES" },
  { from: 0xa701, to: 0xa702, code: "ARCHIVE_OUT_OF_RESOURCES" },
  { from: 0xa801, to: 0xa801, code: "MOVE_DESTINATION_UNKNOWN" },
  { from: 0xa900, to: 0xa900, code: "ARCHIVE_REFUSED_REQUEST" },
  { from: 0x0122, to: 0x0124, code: "ARCHIVE_REFUSED_REQUEST" },
  { from: 0xc000, to: 0xcfff, code: "ARCHIVE_UNABLE" },
  { from: 0xfe00, to: 0xfe00, code: "ARCHIVE_UNABLE" },
];

/** @throws GatewayError when the answer says that the archive did not carry the request out. */
export function checkRetrieveStatus({ status, failed }: Pick<RetrieveResult, "status" | "failed">): void {
  // It tried, and every instance failed, perhaps refused by us: what is missing, and why, is told by verification.
  if (status === STATUS.unableToPerformSubOperations && (failed ?? 0) > 0) return;
  const row = FINAL_STATUSES.find(({ from, to }) => status >= from && status <= to);
  const code = row === undefined ? "ARCHIVE_UNABLE" : row.code;
  if (code !== undefined) throw new GatewayError(code, { status: formatStatus(status) });
}
