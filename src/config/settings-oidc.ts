import type { Role } from "../units/actor.ts";
import type { Manifest } from "./manifest.ts";
import type { AbsolutePathIfAny } from "./settings-peers.ts";

type OidcManifest = NonNullable<Manifest["http"]["oidc"]>;

/** Log-in by OpenID Connect; paths are absolute. */
export interface OidcSettings extends Omit<OidcManifest, "leastRole" | "roles" | "sessionHours"> {
  readonly clientSecretFile: string | undefined;
  readonly authoritiesFile: string | undefined;
  /** Without a slash at the end. */
  readonly redirectBaseUrl: string;
  readonly roles: readonly RoleRule[];
  /** Undefined: who has no role is turned away. */
  readonly leastRole: Role | undefined;
  readonly sessionMs: number;
}

/** A text of the claim, and what it gives. */
export interface RoleRule {
  readonly value: string;
  readonly role: Role;
  /** Undefined: every project. */
  readonly projects?: readonly string[] | undefined;
}

export function resolveOidc(oidc: OidcManifest, ifAny: AbsolutePathIfAny): OidcSettings {
  const { leastRole, sessionHours, redirectBaseUrl, clientSecretFile, authoritiesFile, ...rest } = oidc;
  return {
    ...rest,
    redirectBaseUrl: redirectBaseUrl.replace(/\/+$/, ""),
    clientSecretFile: ifAny(clientSecretFile),
    authoritiesFile: ifAny(authoritiesFile),
    leastRole: leastRole === "none" ? undefined : leastRole,
    sessionMs: sessionHours * 3_600_000,
  };
}
