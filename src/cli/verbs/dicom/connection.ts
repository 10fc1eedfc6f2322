import { resolve } from "node:path";
import { credentialsOf, loadTlsServer, loadUserRules } from "../../../config/peer-credentials.ts";
import { GatewayError } from "../../../errors/gateway-error.ts";
import type { Connection } from "../../../network/dimse/connection.ts";
import type { AcceptanceRules, DimseServerOptions } from "../../../network/dimse/service-types.ts";
import type { ConnectionOptions, ListenerOptions } from "./connection-options.ts";

/** What the flags say of connecting to a peer. @throws GatewayError USAGE_INVALID, CERTIFICATE_…, SECRET_FILE_…, PASSWORD_FILE_MALFORMED */
export async function connectionOf(options: ConnectionOptions, workingFolder: string): Promise<Connection> {
  const { tls, tlsCa, tlsCert, tlsKey, tlsServerName, user, passwordFile, maxPdu } = options;
  requireBoth("--tls-cert", tlsCert, "--tls-key", tlsKey);
  if (user === undefined && passwordFile !== undefined) throw usage("--password-file needs --user");
  const file = fileFrom(workingFolder);
  const files = {
    authoritiesFile: file(tlsCa),
    certificateFile: file(tlsCert),
    keyFile: file(tlsKey),
    serverName: tlsServerName,
  };
  const isTls = tls === true || Object.values(files).some((given) => given !== undefined);
  const credentials = credentialsOf({
    tls: isTls ? files : undefined,
    user: user === undefined ? undefined : { username: user, passwordFile: file(passwordFile) },
  });
  return { ...(await credentials()), ...pduLength(maxPdu) };
}

/** What the flags say of listening. @throws GatewayError USAGE_INVALID, CERTIFICATE_…, SECRET_FILE_…, PASSWORD_FILE_MALFORMED */
export async function listeningOf(
  options: ListenerOptions,
  workingFolder: string,
): Promise<Pick<DimseServerOptions, "tls" | "maximumPduLength" | "rules">> {
  const { tlsCert, tlsKey, tlsClientCa, maxPdu, acceptCalling, user, passwordFile } = options;
  requireBoth("--tls-cert", tlsCert, "--tls-key", tlsKey);
  requireBoth("--user", user, "--password-file", passwordFile);
  const users =
    user === undefined || passwordFile === undefined
      ? []
      : [{ username: user, passwordFile: resolve(workingFolder, passwordFile) }];
  const rules: AcceptanceRules = {
    // Whoever was told another name of ours still has something to store.
    calledAeTitles: "any",
    ...(acceptCalling === undefined ? {} : { callingAeTitles: acceptCalling }),
    ...(await loadUserRules(users)),
  };
  if (tlsCert !== undefined && tlsKey !== undefined) {
    const file = fileFrom(workingFolder);
    const own = { certificateFile: resolve(workingFolder, tlsCert), keyFile: resolve(workingFolder, tlsKey) };
    const tls = await loadTlsServer({ ...own, clientAuthoritiesFile: file(tlsClientCa) });
    return { rules, tls, ...pduLength(maxPdu) };
  }
  if (tlsClientCa !== undefined) throw usage("--tls-client-ca needs --tls-cert and --tls-key");
  return { rules, ...pduLength(maxPdu) };
}

function fileFrom(workingFolder: string): (path: string | undefined) => string | undefined {
  return (path) => (path === undefined ? undefined : resolve(workingFolder, path));
}

function pduLength(maxPdu: number | undefined): { readonly maximumPduLength?: number } {
  return maxPdu === undefined ? {} : { maximumPduLength: maxPdu };
}

function requireBoth(first: string, one: string | undefined, second: string, other: string | undefined): void {
  if ((one === undefined) !== (other === undefined)) throw usage(`${first} and ${second} need each other`);
}

function usage(problem: string): GatewayError {
  return new GatewayError("USAGE_INVALID", { problem });
}
