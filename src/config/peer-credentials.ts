import { createHash, timingSafeEqual } from "node:crypto";
import { isDeepStrictEqual } from "node:util";
import { GatewayError } from "../errors/gateway-error.ts";
import type { AcceptanceRules, AssociationOptions } from "../network/dimse/service-types.ts";
import type { TlsClientOptions, TlsServerOptions } from "../network/upper-layer/tls.ts";
import { readCertificateFile, readKeyFile, readPasswordFile } from "./credential-files.ts";

/** TLS to a peer; paths are absolute. */
export interface TlsClientFiles {
  /** Absent: the authorities that the system trusts. */
  readonly authoritiesFile?: string | undefined;
  /** Shown when the peer asks for one; needs `keyFile`. */
  readonly certificateFile?: string | undefined;
  readonly keyFile?: string | undefined;
  readonly serverName?: string | undefined;
}

/** TLS of a listener; paths are absolute. */
export interface TlsServerFiles {
  readonly certificateFile: string;
  readonly keyFile: string;
  readonly clientAuthoritiesFile?: string | undefined;
}

/** A user of ours; the path is absolute. */
export interface UserFiles {
  readonly username: string;
  readonly passwordFile: string;
}

/** How a peer is connected to and told who we are. */
export interface PeerSecurity {
  readonly tls?: TlsClientFiles | undefined;
  readonly user?: { readonly username: string; readonly passwordFile?: string | undefined } | undefined;
}

export type PeerCredentials = Pick<AssociationOptions, "tls" | "userIdentity">;

/**
 * Reads the files at every call, so that a renewed certificate or a changed password holds from the next association on. What has not
 * changed is the same object again: contexts of TLS are kept by it.
 * @throws GatewayError CERTIFICATE_…, SECRET_FILE_…, PASSWORD_FILE_MALFORMED from the function it answers
 */
export function credentialsOf({ tls, user }: PeerSecurity): () => Promise<PeerCredentials> {
  let last: PeerCredentials = {};
  return async () => {
    const read: PeerCredentials = {
      ...(tls === undefined ? {} : { tls: await loadTlsClient(tls) }),
      ...(user === undefined ? {} : { userIdentity: await loadUser(user) }),
    };
    if (!isDeepStrictEqual(read, last)) last = read;
    return last;
  };
}

/** @throws GatewayError CERTIFICATE_…, SECRET_FILE_… */
export async function loadTlsServer(files: TlsServerFiles): Promise<TlsServerOptions> {
  const { certificateFile, keyFile, clientAuthoritiesFile } = files;
  const own = await loadOwn(certificateFile, keyFile);
  if (clientAuthoritiesFile === undefined) return own;
  return { ...own, clientCertificateAuthorities: (await readCertificateFile(clientAuthoritiesFile)).pem };
}

/** Lets only these users associate; no rules when there are none. @throws GatewayError SECRET_FILE_…, PASSWORD_FILE_MALFORMED */
export async function loadUserRules(
  users: readonly UserFiles[],
): Promise<Pick<AcceptanceRules, "authenticate" | "userIdentityRequired">> {
  if (users.length === 0) return {};
  const known: Buffer[] = [];
  for (const { username, passwordFile } of users) known.push(digestOf(username, await readPasswordFile(passwordFile)));
  return {
    userIdentityRequired: true,
    authenticate(identity) {
      if (identity.kind !== "username-passcode") return false;
      const told = digestOf(identity.username, identity.passcode);
      return known.some((digest) => timingSafeEqual(digest, told));
    },
  };
}

/** Of one length, whatever is compared: the time it takes tells nothing. */
function digestOf(username: string, passcode: string): Buffer {
  return createHash("sha256")
    .update(JSON.stringify([username, passcode]))
    .digest();
}

export async function loadTlsClient(files: TlsClientFiles): Promise<TlsClientOptions> {
  const { authoritiesFile, certificateFile, keyFile, serverName } = files;
  return {
    ...(authoritiesFile === undefined
      ? {}
      : { certificateAuthorities: (await readCertificateFile(authoritiesFile)).pem }),
    ...(certificateFile === undefined || keyFile === undefined ? {} : await loadOwn(certificateFile, keyFile)),
    ...(serverName === undefined ? {} : { serverName }),
  };
}

/** A certificate of ours and its key. */
async function loadOwn(
  certificateFile: string,
  keyFile: string,
): Promise<{ readonly certificate: string; readonly key: string }> {
  const { pem: certificate, certificates } = await readCertificateFile(certificateFile);
  const { pem, key } = await readKeyFile(keyFile);
  if (!certificates[0].checkPrivateKey(key)) throw new GatewayError("CERTIFICATE_KEY_MISMATCH", { path: keyFile });
  return { certificate, key: pem };
}

async function loadUser({ username, passwordFile }: NonNullable<PeerSecurity["user"]>) {
  if (passwordFile === undefined) return { kind: "username", username } as const;
  return { kind: "username-passcode", username, passcode: await readPasswordFile(passwordFile) } as const;
}
