import type { ErrorEntry } from "../error-class.ts";

/** Codes of the SSH File Transfer Protocol, sorted. */
export const sftpCodes = {
  SFTP_FAILED: {
    class: "transient",
    summary: "The SFTP server could not do it and does not say why; a full disk is told so.",
    remedy: "Look at the server's disk space, quota and log; it is retried.",
  },
  SFTP_HOST_KEY_UNKNOWN: {
    class: "permanent",
    summary: "The SFTP server has another host key than the settings name; nothing was sent to it.",
    remedy:
      "Ask its administrator for the fingerprint (ssh-keygen -lf of the host's public key) and set hostKeys; a changed key may be somebody in between.",
  },
  SFTP_LOGIN_REFUSED: {
    class: "permanent",
    summary: "The SFTP server does not let us in.",
    remedy: "Check username, and passwordFile or privateKeyFile of the destination, then retry.",
  },
  SFTP_REFUSED: {
    class: "permanent",
    summary: "The SFTP server refused a request.",
    remedy: "Check that our user may make folders, write, rename and read in the destination's folder, then retry.",
  },
  SFTP_UNAVAILABLE: {
    class: "transient",
    summary: "The SFTP server cannot be reached, or stopped answering.",
    remedy: "Check host, port and the firewall between us; it is retried.",
  },
} as const satisfies Record<string, ErrorEntry>;
