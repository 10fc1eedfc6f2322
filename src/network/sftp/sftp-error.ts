import { GatewayError } from "../../errors/gateway-error.ts";
import type { ErrorCode } from "../../errors/registry.ts";

/** Status codes of the SSH File Transfer Protocol, version 3 (draft-ietf-secsh-filexfer-02, section 7). */
export const SFTP_STATUS = {
  noSuchFile: 2,
  permissionDenied: 3,
  failure: 4,
  badMessage: 5,
  noConnection: 6,
  connectionLost: 7,
  unsupported: 8,
} as const;

const CODES: Readonly<Record<number, ErrorCode>> = {
  [SFTP_STATUS.noSuchFile]: "SFTP_REFUSED",
  [SFTP_STATUS.permissionDenied]: "SFTP_REFUSED",
  [SFTP_STATUS.failure]: "SFTP_FAILED",
  [SFTP_STATUS.badMessage]: "SFTP_REFUSED",
  [SFTP_STATUS.noConnection]: "SFTP_UNAVAILABLE",
  [SFTP_STATUS.connectionLost]: "SFTP_UNAVAILABLE",
  [SFTP_STATUS.unsupported]: "SFTP_REFUSED",
};

/** The number of a status that a server answered; undefined: it is no answer. */
export function statusOf(thrown: unknown): number | undefined {
  return thrown instanceof Error && "code" in thrown && typeof thrown.code === "number" ? thrown.code : undefined;
}

/** What went wrong, without the message: that may hold paths. */
export function sftpError(thrown: unknown): GatewayError {
  if (thrown instanceof GatewayError) return thrown;
  const status = statusOf(thrown);
  if (status !== undefined) return new GatewayError(CODES[status] ?? "SFTP_REFUSED", { status }, thrown);
  const level = thrown instanceof Error && "level" in thrown ? thrown.level : undefined;
  return new GatewayError(level === "client-authentication" ? "SFTP_LOGIN_REFUSED" : "SFTP_UNAVAILABLE", {}, thrown);
}
