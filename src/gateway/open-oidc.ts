import { readPasswordFile } from "../config/credential-files.ts";
import { loadTlsClient } from "../config/peer-credentials.ts";
import type { Settings } from "../config/settings.ts";
import type { OidcSettings } from "../config/settings-oidc.ts";
import { createIssuer, type Issuer } from "../http/oidc/issuer.ts";
import type { OidcLogIn } from "../http/oidc/log-in.ts";
import { OIDC_CALLBACK_PATH } from "../http/oidc/routes.ts";
import type { OwnCheck } from "../operations/context.ts";
import type { Clock } from "../units/clock.ts";

/** Nothing is asked yet: the service starts while the issuer is down. */
export function oidcLogIn({ http }: Settings, clock: Clock): OidcLogIn | undefined {
  const { oidc } = http;
  if (oidc === undefined) return undefined;
  const { name, nameClaim, claim, roles, leastRole, redirectBaseUrl, sessionMs, endWithIdToken } = oidc;
  return {
    name,
    issuer: issuerOf(oidc, clock),
    mapping: { nameClaim, claim, roles, leastRole },
    isSecure: redirectBaseUrl.startsWith("https:"),
    sessionMs,
    endWithIdToken,
  };
}

function issuerOf(oidc: OidcSettings, clock: Clock): Issuer {
  const { issuer, clientId, redirectBaseUrl, scopes, clientSecretFile, authoritiesFile } = oidc;
  return createIssuer({
    issuer,
    clientId,
    redirectUrl: redirectBaseUrl + OIDC_CALLBACK_PATH,
    scopes,
    clientSecret: clientSecretFile === undefined ? undefined : () => readPasswordFile(clientSecretFile),
    tls: () => loadTlsClient({ authoritiesFile }),
    clock,
  });
}

/** What `doctor` asks of the issuer. */
export function oidcChecks({ http }: Settings, clock: Clock): readonly OwnCheck[] {
  const { oidc } = http;
  if (oidc === undefined) return [];
  return [
    {
      what: "the issuer that people log in at answers",
      async examine() {
        await issuerOf(oidc, clock).check();
        return `yes; its redirect address for us is ${oidc.redirectBaseUrl}${OIDC_CALLBACK_PATH}`;
      },
    },
  ];
}
