import type { Manifest } from "./manifest.ts";
import type { PeerSecurity, TlsClientFiles } from "./peer-credentials.ts";

/** Makes a path absolute that counts from the settings' folder. */
export type AbsolutePath = (path: string) => string;

/** As `AbsolutePath`, where there is a path. */
export type AbsolutePathIfAny = (path: string | undefined) => string | undefined;

type SecuritySettings = Pick<Extract<Manifest["archives"][number], { kind: "dimse" }>, "tls" | "user">;

export function resolveSecurity({ tls = false, user }: SecuritySettings, ifAny: AbsolutePathIfAny): PeerSecurity {
  return {
    ...(tls === false ? {} : { tls: tls === true ? {} : resolveTlsClient(tls, ifAny) }),
    ...(user === undefined ? {} : { user: { ...user, passwordFile: ifAny(user.passwordFile) } }),
  };
}

export function resolveTlsClient(files: TlsClientFiles, ifAny: AbsolutePathIfAny): TlsClientFiles {
  return {
    authoritiesFile: ifAny(files.authoritiesFile),
    certificateFile: ifAny(files.certificateFile),
    keyFile: ifAny(files.keyFile),
    serverName: files.serverName,
  };
}
