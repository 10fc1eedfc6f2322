import type { Issuer } from "./issuer.ts";
import type { UserMapping } from "./map-user.ts";

/** The log-in by OpenID Connect as the settings have it. */
export interface OidcLogIn {
  /** As people know the account. */
  readonly name: string;
  readonly issuer: Issuer;
  readonly mapping: UserMapping;
  /** Whether browsers reach us by HTTPS. */
  readonly isSecure: boolean;
  readonly sessionMs: number;
  readonly endWithIdToken: boolean;
}
