import { readPasswordFile } from "../config/credential-files.ts";
import { type HttpPeerFiles, httpSecurityOf } from "../config/http-credentials.ts";
import { openHttpClient } from "../network/http-client/http-client.ts";
import type { HttpClient } from "../network/http-client/types.ts";
import { openXnatClient } from "../network/rest/xnat/login.ts";

/**
 * With user and password: a session of the XNAT's own, begun once for all requests. A token goes with every request instead, as a proxy
 * before the XNAT wants it. @throws GatewayError CERTIFICATE_…, SECRET_FILE_…
 */
export async function xnatClientOf(
  peer: HttpPeerFiles & { readonly url: string },
  connections?: number,
): Promise<HttpClient> {
  const { url: baseUrl, username, passwordFile, tokenFile } = peer;
  const { tls, authentication } = await httpSecurityOf(peer);
  if (tokenFile !== undefined) return openHttpClient({ baseUrl, connections, tls, authentication });
  const hasPassword = username !== undefined && passwordFile !== undefined;
  const credentials = hasPassword ? { username, password: () => readPasswordFile(passwordFile) } : undefined;
  return openXnatClient({ baseUrl, connections, tls, credentials });
}
