import type { ErrorEntry } from "../error-class.ts";

/** Codes of TLS on DICOM connections, sorted. */
export const tlsCodes = {
  TLS_CERTIFICATE_INVALID: {
    class: "permanent",
    summary: "The peer's TLS certificate is expired, not valid yet, revoked or malformed.",
    remedy: "Have the peer's certificate renewed; check the clocks of both machines.",
  },
  TLS_CERTIFICATE_NAME_WRONG: {
    class: "permanent",
    summary: "The peer's TLS certificate is for another name than the one it was reached by.",
    remedy: "Address the peer by a name in its certificate, or set the server name that the certificate bears.",
  },
  TLS_CERTIFICATE_REFUSED: {
    class: "permanent",
    summary: "The peer demands a TLS certificate of us, or does not accept ours.",
    remedy:
      "Configure a certificate and its key for this peer, and have its administrator trust the authority behind it.",
  },
  TLS_CERTIFICATE_UNTRUSTED: {
    class: "permanent",
    summary: "The peer showed no TLS certificate that an authority we trust has signed.",
    remedy: "Configure the authority that signed the peer's certificate, or have the peer show the right certificate.",
  },
  TLS_FAILED: {
    class: "permanent",
    summary: "The TLS handshake with the peer failed.",
    remedy: "Check that the peer offers TLS 1.2 or later with AES-GCM, and whether it demands a certificate of us.",
  },
  TLS_INTERRUPTED: {
    class: "transient",
    summary: "The peer closed the connection during the TLS handshake.",
    remedy: "None at first: it is retried. If it persists, check that this port of the peer speaks TLS.",
  },
  TLS_NOT_SPOKEN: {
    class: "permanent",
    summary: "The peer does not speak TLS on this connection.",
    remedy: "Use the peer's TLS port (2762 by convention), or configure both sides without TLS.",
  },
  TLS_SETTINGS_INVALID: {
    class: "permanent",
    summary: "The configured TLS certificates or keys cannot be used.",
    remedy:
      "Check that the values are PEM texts, that the key is not encrypted, and that it belongs to the certificate.",
  },
} as const satisfies Record<string, ErrorEntry>;
