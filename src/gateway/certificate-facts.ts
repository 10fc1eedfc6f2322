import { X509Certificate } from "node:crypto";
import { credentialsOf, loadTlsServer, type PeerSecurity } from "../config/peer-credentials.ts";
import type { Settings } from "../config/settings.ts";
import { peerCertificateEndMs } from "../network/upper-layer/peer-certificate.ts";
import type { CertificateFacts, OperationsContext } from "../operations/context.ts";

type PeerFacts = { readonly certificates?: (signal: AbortSignal) => Promise<CertificateFacts> };

/** When the certificates of a connection end, ours and the peer's; nothing for one without TLS. */
export function certificateFacts(
  address: { readonly host: string; readonly port: number },
  peer: PeerSecurity,
): PeerFacts {
  if (peer.tls === undefined) return {};
  const credentials = credentialsOf(peer);
  return {
    async certificates(signal) {
      const { tls = {} } = await credentials();
      return {
        theirsEndMs: await peerCertificateEndMs(address, tls, signal),
        ...(tls.certificate === undefined ? {} : { oursEndMs: endMs(tls.certificate) }),
      };
    },
  };
}

/** Our listener over TLS, as archives are told of it and as its certificate is. */
export function tlsListenerFacts({ dicom }: Settings): Pick<OperationsContext, "tlsListener"> {
  const { tls } = dicom;
  if (tls === undefined) return {};
  const { port, only, files } = tls;
  return {
    tlsListener: {
      port,
      only,
      asksForCertificate: files.clientAuthoritiesFile !== undefined,
      certificate: async () => ({ oursEndMs: endMs((await loadTlsServer(files)).certificate) }),
    },
  };
}

function endMs(pem: string): number {
  return new X509Certificate(pem).validToDate.getTime();
}
