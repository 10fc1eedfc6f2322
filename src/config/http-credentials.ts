import {
  type Authentication,
  basicAuthentication,
  bearerAuthentication,
  noAuthentication,
} from "../network/http-client/authentication.ts";
import type { HttpClientOptions } from "../network/http-client/types.ts";
import { readPasswordFile, readTokenFile } from "./credential-files.ts";
import { loadTlsClient } from "./peer-credentials.ts";

/** How a peer that speaks HTTP is told who we are, and known; paths are absolute. */
export interface HttpPeerFiles {
  readonly tokenFile?: string | undefined;
  readonly username?: string | undefined;
  readonly passwordFile?: string | undefined;
  readonly clientCertificateFile?: string | undefined;
  readonly clientKeyFile?: string | undefined;
  /** Absent: the authorities that the system trusts. */
  readonly authoritiesFile?: string | undefined;
}

/**
 * Certificates are read once; a password or token anew at every login, so that a changed one holds from then on.
 * @throws GatewayError CERTIFICATE_…, SECRET_FILE_…
 */
export async function httpSecurityOf(files: HttpPeerFiles): Promise<Pick<HttpClientOptions, "authentication" | "tls">> {
  const { authoritiesFile, clientCertificateFile: certificateFile, clientKeyFile: keyFile } = files;
  return {
    authentication: authenticationOf(files),
    tls: await loadTlsClient({ authoritiesFile, certificateFile, keyFile }),
  };
}

function authenticationOf({ tokenFile, username, passwordFile }: HttpPeerFiles): Authentication {
  if (tokenFile !== undefined) return bearerAuthentication(() => readTokenFile(tokenFile));
  if (username === undefined || passwordFile === undefined) return noAuthentication;
  return basicAuthentication(username, () => readPasswordFile(passwordFile));
}
