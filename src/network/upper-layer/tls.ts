/** TLS as the one who connects; all values are PEM texts. PS3.15 B.12. */
export interface TlsClientOptions {
  /** Absent: the authorities that the system trusts. */
  readonly certificateAuthorities?: string;
  /** Shown when the peer asks for one; needs `key`. */
  readonly certificate?: string;
  readonly key?: string;
  /** The name that the peer's certificate must bear; absent: the host that is connected to. */
  readonly serverName?: string;
}

/** TLS as the one who listens; all values are PEM texts. PS3.15 B.12. */
export interface TlsServerOptions {
  readonly certificate: string;
  readonly key: string;
  /** Present: a client must show a certificate that one of these has signed. */
  readonly clientCertificateAuthorities?: string;
}
