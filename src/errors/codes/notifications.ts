import type { ErrorEntry } from "../error-class.ts";

/** Codes of notifications by mail and webhook, sorted. */
export const notificationsCodes = {
  NOTIFICATION_CHANNEL_UNKNOWN: {
    class: "permanent",
    summary: "There is no channel of notifications of this name.",
    remedy: "Look its name up with `radferry notification list`.",
  },
  NOTIFICATION_TEMPLATES_INVALID: {
    class: "permanent",
    summary: "A file of templates is not what it must be.",
    remedy: "Correct what the problem names; docs/notifications.md lists the placeholders of each event.",
  },
  NOTIFICATION_TEMPLATES_UNREADABLE: {
    class: "permanent",
    summary: "A file of templates cannot be read.",
    remedy: "Check the path, and that the gateway's user may read the file.",
  },
  SMTP_DEFERRED: {
    class: "transient",
    summary: "The mail server does not take the message now.",
    remedy: "None at first: it is sent again. If it persists, ask the mail server's administrator.",
  },
  SMTP_LOGIN_REFUSED: {
    class: "permanent",
    summary: "The mail server does not accept our user and password.",
    remedy: "Check username and passwordFile of the channel, and whether the server lets this user send.",
  },
  SMTP_REFUSED: {
    class: "permanent",
    summary: "The mail server refuses the sender, a recipient or the message.",
    remedy: "Check from and to of the channel, and whether this machine may send through the server.",
  },
  SMTP_TIMED_OUT: {
    class: "transient",
    summary: "The mail server fell silent.",
    remedy:
      "None at first: it is sent again. If it persists, check host, port and firewall: a port with TLS from the start needs tls: implicit.",
  },
  SMTP_TLS_FAILED: {
    class: "permanent",
    summary: "No connection with TLS to the mail server comes about.",
    remedy: "Check tls and authoritiesFile of the channel, and the name in the server's certificate.",
  },
  SMTP_UNAVAILABLE: {
    class: "transient",
    summary: "The mail server cannot be reached.",
    remedy: "None at first: it is sent again. If it persists, check host, port and firewall.",
  },
} as const satisfies Record<string, ErrorEntry>;
