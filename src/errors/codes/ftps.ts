import type { ErrorEntry } from "../error-class.ts";

/** Codes of FTP over TLS, sorted. */
export const ftpsCodes = {
  FTPS_BUSY: {
    class: "transient",
    summary: "The FTPS server cannot do it at the moment.",
    remedy: "None at first: it is retried. If it persists, look at the server's own log.",
  },
  FTPS_LOGIN_REFUSED: {
    class: "permanent",
    summary: "The FTPS server does not let us in.",
    remedy: "Check username and passwordFile of the destination, then retry.",
  },
  FTPS_REFUSED: {
    class: "permanent",
    summary: "The FTPS server refused a command.",
    remedy: "Check that our user may make folders, write, rename and read in the destination's folder, then retry.",
  },
  FTPS_TLS_NOT_OFFERED: {
    class: "permanent",
    summary: "The FTPS server does not go over to TLS; nothing was sent without it.",
    remedy: "Set security to implicit or explicit, and the port, as the server has them (990 and 21 by convention).",
  },
  FTPS_UNAVAILABLE: {
    class: "transient",
    summary: "The FTPS server cannot be reached, or stopped answering.",
    remedy:
      "Check host and port, and that the firewall lets us reach the ports the server opens for data; it is retried.",
  },
} as const satisfies Record<string, ErrorEntry>;
