import type { ErrorEntry } from "../error-class.ts";

/**
 * Codes of certificates, keys and passwords, ours and those of peers, sorted. Files are renewed while the gateway runs, one after the
 * other: what is wrong with one may be over at the next try.
 */
export const credentialsCodes = {
  CERTIFICATE_EXPIRED: {
    class: "permanent",
    summary: "A certificate has expired.",
    remedy: "Have it renewed and put the new one in its place.",
  },
  CERTIFICATE_EXPIRES_SOON: {
    class: "permanent",
    summary: "A certificate expires within 30 days; from then on no connection is made.",
    remedy: "Have it renewed in time: ours by whoever issued it, a peer's by the peer's administrator.",
  },
  CERTIFICATE_FILE_MALFORMED: {
    class: "transient",
    summary: "A file of certificates does not hold one in PEM form.",
    remedy: "Export the certificate as PEM: it begins with -----BEGIN CERTIFICATE-----.",
  },
  CERTIFICATE_FILE_UNREADABLE: {
    class: "transient",
    summary: "A file of certificates cannot be read.",
    remedy: "Check the path, and that the gateway's user may read the file.",
  },
  CERTIFICATE_KEY_MALFORMED: {
    class: "transient",
    summary: "A certificate's key file does not hold a private key in PEM form without passphrase.",
    remedy: "Export the key as PEM without passphrase; its file's mode protects it.",
  },
  CERTIFICATE_KEY_MISMATCH: {
    class: "transient",
    summary: "The key is not the one of the certificate.",
    remedy:
      "Name the key that the certificate was requested with; of several certificates in the file ours comes first.",
  },
  CERTIFICATE_NOT_YET_VALID: {
    class: "permanent",
    summary: "A certificate is not valid yet.",
    remedy: "Check this machine's clock; else wait until the certificate begins, or have another made.",
  },
  PASSWORD_FILE_MALFORMED: {
    class: "transient",
    summary: "A password file is empty, too long or holds more than one line.",
    remedy: "Write the password as its only line, in UTF-8.",
  },
  SECRET_FILE_READABLE_BY_OTHERS: {
    class: "transient",
    summary: "Other users of this machine can read a file that holds a key or password.",
    remedy: "Run `chmod 600` on it, and consider a new secret if it was exposed.",
  },
  SECRET_FILE_UNREADABLE: {
    class: "transient",
    summary: "A file that holds a key or password cannot be read.",
    remedy: "Check the path, and that the file belongs to the gateway's user.",
  },
} as const satisfies Record<string, ErrorEntry>;
