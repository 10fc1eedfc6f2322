import type { TlsClientOptions, TlsServerOptions } from "../../src/network/upper-layer/tls.ts";
import { makeCertificate } from "./certificates.ts";

/** Over TLS the server shows a certificate, over mutual TLS the client too; each is checked by the other side. PS3.15 B.12. */
export type TransportName = "plain" | "TLS" | "mutual TLS";

/** What a peer's program is given to speak TLS; all are PEM files. */
export interface PeerTls {
  readonly keyFile: string;
  readonly certificateFile: string;
  /** Whom it trusts: us. */
  readonly authoritiesFile: string;
  /** As a server it demands a certificate; as a client it has one to show. */
  readonly isMutual: boolean;
}

/** One way to talk: what both sides are given for it. */
export interface Transport {
  readonly ours: {
    readonly client?: { readonly tls: TlsClientOptions };
    readonly server?: { readonly tls: TlsServerOptions };
  };
  readonly peers: PeerTls | undefined;
}

export type Transports = Readonly<Record<TransportName, Transport>>;

/** Makes the certificates of both sides in the folder. */
export async function makeTransports(folder: string): Promise<Transports> {
  const [our, their] = [await makeCertificate(folder, "ours"), await makeCertificate(folder, "peers")];
  const { certificate, key } = our;
  const peers = { ...their, authoritiesFile: our.certificateFile };
  const trusted = { certificateAuthorities: their.certificate };
  return {
    plain: { ours: {}, peers: undefined },
    TLS: {
      ours: { client: { tls: trusted }, server: { tls: { certificate, key } } },
      peers: { ...peers, isMutual: false },
    },
    "mutual TLS": {
      ours: {
        client: { tls: { ...trusted, certificate, key } },
        server: { tls: { certificate, key, clientCertificateAuthorities: their.certificate } },
      },
      peers: { ...peers, isMutual: true },
    },
  };
}

/** dcmtk's options for a tool that listens. */
export function dcmtkServerArgs(tls: PeerTls | undefined): readonly string[] {
  if (tls === undefined) return [];
  const trust = tls.isMutual ? ["-rc", "+cf", tls.authoritiesFile] : ["-ic"];
  return ["+tls", tls.keyFile, tls.certificateFile, ...trust];
}

/** dcmtk's options for a tool that connects. */
export function dcmtkClientArgs(tls: PeerTls | undefined): readonly string[] {
  if (tls === undefined) return [];
  const identity = tls.isMutual ? ["+tls", tls.keyFile, tls.certificateFile] : ["+tla"];
  return [...identity, "-rc", "+cf", tls.authoritiesFile];
}
