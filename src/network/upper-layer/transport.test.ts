import { Socket } from "node:net";
import { TLSSocket } from "node:tls";
import { describe, expect, it } from "vitest";
import type { State } from "./state-table.ts";
import { transportError } from "./transport.ts";

function failure(code: string): NodeJS.ErrnoException {
  return Object.assign(new Error(code), { code });
}

/** What Node says of a lost connection, and the code that a person gets; retry reads the class of the code. */
describe("a lost connection", () => {
  it.each<readonly [string, State, string | undefined, string, string]>([
    ["nobody listens", "Sta4", "ECONNREFUSED", "CONNECTION_FAILED", "transient"],
    ["no such host", "Sta4", "ENOTFOUND", "CONNECTION_FAILED", "transient"],
    ["the name of another host", "Sta4", "ERR_TLS_CERT_ALTNAME_INVALID", "TLS_CERTIFICATE_NAME_WRONG", "permanent"],
    ["an unknown authority", "Sta4", "SELF_SIGNED_CERT_IN_CHAIN", "TLS_CERTIFICATE_UNTRUSTED", "permanent"],
    ["a revoked certificate", "Sta4", "CERT_REVOKED", "TLS_CERTIFICATE_INVALID", "permanent"],
    ["no TLS at all", "Sta4", "ERR_SSL_WRONG_VERSION_NUMBER", "TLS_NOT_SPOKEN", "permanent"],
    ["no common cipher suite", "Sta4", "ERR_SSL_SSLV3_ALERT_HANDSHAKE_FAILURE", "TLS_FAILED", "permanent"],
    ["a certificate that OpenSSL cannot read", "Sta4", "ERR_OSSL_ASN1_WRONG_TAG", "TLS_FAILED", "permanent"],
    ["a reset in the handshake", "Sta4", "ECONNRESET", "TLS_INTERRUPTED", "transient"],
    ["a close in the handshake", "Sta4", undefined, "TLS_INTERRUPTED", "transient"],
    [
      "our certificate refused when the handshake was over for us",
      "Sta5",
      "ERR_SSL_TLSV1_ALERT_UNKNOWN_CA",
      "TLS_CERTIFICATE_REFUSED",
      "permanent",
    ],
    ["a reset before the answer", "Sta5", "ECONNRESET", "ASSOCIATION_ABORTED", "transient"],
    ["a close before the answer", "Sta5", undefined, "ASSOCIATION_ABORTED", "transient"],
    ["a damaged record later", "Sta6", "ERR_SSL_DECRYPTION_FAILED", "ASSOCIATION_ABORTED", "transient"],
  ])("with TLS: %s", (_, state, cause, code, errorClass) => {
    const socket = new TLSSocket(new Socket());
    const error = transportError(socket, state, cause === undefined ? undefined : failure(cause));
    expect(error).toMatchObject({ code, class: errorClass, details: { by: "transport", cause: cause ?? "closed" } });
    socket.destroy();
  });

  it.each<readonly [State, string | undefined, string]>([
    ["Sta4", "ECONNREFUSED", "CONNECTION_FAILED"],
    ["Sta4", "ECONNRESET", "CONNECTION_FAILED"],
    ["Sta5", "ECONNRESET", "ASSOCIATION_ABORTED"],
    ["Sta6", undefined, "ASSOCIATION_ABORTED"],
  ])("without TLS, in %s: %s", (state, cause, code) => {
    const error = transportError(new Socket(), state, cause === undefined ? undefined : failure(cause));
    expect(error.code).toBe(code);
  });
});
