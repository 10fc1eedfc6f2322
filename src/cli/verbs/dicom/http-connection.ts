import { resolve } from "node:path";
import { httpSecurityOf } from "../../../config/http-credentials.ts";
import { GatewayError } from "../../../errors/gateway-error.ts";
import type { HttpClientOptions } from "../../../network/http-client/types.ts";
import type { HttpOptions } from "./http-options.ts";

/** What the flags say of asking a peer by HTTP. @throws GatewayError USAGE_INVALID, CERTIFICATE_…, SECRET_FILE_…, PASSWORD_FILE_MALFORMED */
export async function httpConnectionOf(
  url: string,
  options: HttpOptions,
  workingFolder: string,
): Promise<HttpClientOptions> {
  const { ca, tlsCert, tlsKey, user, passwordFile, tokenFile, headerTimeout, idleTimeout } = options;
  requireBoth("--tls-cert", tlsCert, "--tls-key", tlsKey);
  requireBoth("--user", user, "--password-file", passwordFile);
  if (user !== undefined && tokenFile !== undefined) throw usage("--user and --token-file exclude each other");
  const parsed = URL.parse(url);
  if (parsed === null || !/^https?:$/.test(parsed.protocol)) throw usage("the URL begins with http:// or https://");
  if (parsed.username !== "" || parsed.password !== "")
    throw usage("credentials do not belong into the URL: use --user");
  const file = (path: string | undefined) => (path === undefined ? undefined : resolve(workingFolder, path));
  const security = await httpSecurityOf({
    authoritiesFile: file(ca),
    clientCertificateFile: file(tlsCert),
    clientKeyFile: file(tlsKey),
    username: user,
    passwordFile: file(passwordFile),
    tokenFile: file(tokenFile),
  });
  return {
    baseUrl: url,
    ...security,
    timeouts: {
      ...(headerTimeout === undefined ? {} : { headersMs: headerTimeout * 1_000 }),
      ...(idleTimeout === undefined ? {} : { idleMs: idleTimeout * 1_000 }),
    },
  };
}

function requireBoth(first: string, one: string | undefined, second: string, other: string | undefined): void {
  if ((one === undefined) !== (other === undefined)) throw usage(`${first} and ${second} need each other`);
}

function usage(problem: string): GatewayError {
  return new GatewayError("USAGE_INVALID", { problem });
}
