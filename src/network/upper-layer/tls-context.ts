import { constants } from "node:crypto";
import { createSecureContext, getCACertificates, type SecureContext, type SecureContextOptions } from "node:tls";
import { GatewayError } from "../../errors/gateway-error.ts";
import { pemCertificates } from "./pem-certificates.ts";
import type { TlsClientOptions, TlsServerOptions } from "./tls.ts";

/** BCP 195 profile: TLS 1.2 at least, and of its cipher suites those that RFC 9325 4.2 recommends. PS3.15 B.12. */
export const TLS_PROFILE = {
  minVersion: "TLSv1.2",
  ciphers: [
    "TLS_AES_128_GCM_SHA256",
    "TLS_AES_256_GCM_SHA384",
    "TLS_CHACHA20_POLY1305_SHA256",
    "ECDHE-ECDSA-AES128-GCM-SHA256",
    "ECDHE-RSA-AES128-GCM-SHA256",
    "ECDHE-ECDSA-AES256-GCM-SHA384",
    "ECDHE-RSA-AES256-GCM-SHA384",
  ].join(":"),
  honorCipherOrder: true,
  // RFC 9325 3.5: a peer gets no second handshake.
  secureOptions: constants.SSL_OP_NO_RENEGOTIATION,
} as const;

/** Contexts by the options they were made from: reading the system's authorities takes tens of milliseconds. */
const clientContexts = new WeakMap<TlsClientOptions, SecureContext>();

/** @throws GatewayError TLS_SETTINGS_INVALID when a certificate or key cannot be used. */
export function clientContext(options: TlsClientOptions): SecureContext {
  const known = clientContexts.get(options);
  if (known !== undefined) return known;
  const { certificateAuthorities, certificate, key } = options;
  if ((certificate === undefined) !== (key === undefined)) {
    throw new GatewayError("TLS_SETTINGS_INVALID", { setting: certificate === undefined ? "certificate" : "key" });
  }
  const authorities =
    certificateAuthorities === undefined
      ? getCACertificates("system")
      : certificatesOf(certificateAuthorities, "certificateAuthorities");
  const context = contextFor({ ca: authorities, ...(certificate !== undefined && { cert: certificate, key }) });
  clientContexts.set(options, context);
  return context;
}

/** What a listening socket is given. @throws GatewayError TLS_SETTINGS_INVALID when a certificate or key cannot be used. */
export function serverMaterial(options: TlsServerOptions): SecureContextOptions {
  const { certificate, key, clientCertificateAuthorities } = options;
  const ca =
    clientCertificateAuthorities === undefined
      ? undefined
      : certificatesOf(clientCertificateAuthorities, "clientCertificateAuthorities");
  const material = { ...TLS_PROFILE, cert: certificate, key, ca };
  contextFor(material);
  return material;
}

function contextFor(material: SecureContextOptions): SecureContext {
  try {
    return createSecureContext({ ...TLS_PROFILE, ...material });
  } catch (error) {
    throw new GatewayError("TLS_SETTINGS_INVALID", { setting: "certificate, key" }, error);
  }
}

/** The certificates of a PEM text, each of which can be read. */
function certificatesOf(pem: string, setting: string): string[] {
  const certificates = readable(pem, setting);
  if (certificates.length === 0) throw new GatewayError("TLS_SETTINGS_INVALID", { setting });
  return [...certificates];
}

function readable(pem: string, setting: string): readonly string[] {
  try {
    return pemCertificates(pem);
  } catch (error) {
    throw new GatewayError("TLS_SETTINGS_INVALID", { setting }, error);
  }
}
