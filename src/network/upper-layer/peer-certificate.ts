import { once } from "node:events";
import { TLSSocket } from "node:tls";
import { GatewayError } from "../../errors/gateway-error.ts";
import type { TlsClientOptions } from "./tls.ts";
import { connectTransport, transportError, whenOpen } from "./transport.ts";

/**
 * Connects by TLS, looks at the certificate that the peer shows, and closes the connection.
 * @returns when the certificate ends, in milliseconds since 1970
 * @throws GatewayError CONNECTION_FAILED, TLS_…; what the signal gives as its reason
 */
export async function peerCertificateEndMs(
  address: { readonly host: string; readonly port: number },
  tls: TlsClientOptions,
  signal: AbortSignal,
): Promise<number> {
  signal.throwIfAborted();
  const socket = connectTransport({ ...address, tls });
  const opened = Promise.withResolvers<void>();
  const stop = (): void => opened.reject(signal.reason);
  const onError = (cause: NodeJS.ErrnoException): void => opened.reject(transportError(socket, "Sta4", cause));
  whenOpen(socket, opened.resolve);
  socket.on("error", onError);
  socket.once("close", () => opened.reject(transportError(socket, "Sta4", undefined)));
  signal.addEventListener("abort", stop, { once: true });
  try {
    await opened.promise;
    const certificate = socket instanceof TLSSocket ? socket.getPeerX509Certificate() : undefined;
    if (certificate === undefined) throw new GatewayError("TLS_CERTIFICATE_UNTRUSTED");
    return certificate.validToDate.getTime();
  } finally {
    signal.removeEventListener("abort", stop);
    if (!socket.closed) {
      const closed = once(socket, "close");
      socket.destroy();
      await closed;
    }
  }
}
