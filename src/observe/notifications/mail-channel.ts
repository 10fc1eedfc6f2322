import type { TlsClientOptions } from "../../network/upper-layer/tls.ts";
import { orAborted } from "../../units/abort.ts";
import type { Channel, ChannelMessage } from "../../units/notifications.ts";
import { mailError } from "./mail-errors.ts";

export interface MailOptions {
  readonly name: string;
  readonly host: string;
  readonly port: number;
  /** RFC 8314: TLS from the first byte, or by STARTTLS (RFC 3207) and not without it; none: in the clear. */
  readonly tls: "implicit" | "starttls" | "none";
  readonly from: string;
  readonly to: readonly string[];
  /** The password is read for every message, so that a changed one holds from then on. */
  readonly user: { readonly name: string; readonly password: () => Promise<string> } | undefined;
  /** How long a silent server is waited for. @default 30 s */
  readonly silenceMs?: number;
  /** Authorities that vouch for the server. */
  readonly security: () => Promise<TlsClientOptions | undefined>;
}

const CONNECT_MS = 10_000;
/** A server that greylists takes its time, and answers in it. */
const SILENCE_MS = 30_000;

/** Mail by SMTP (RFC 5321), one connection for each message. What the server takes for one recipient is sent. */
export function createMailChannel(options: MailOptions): Channel {
  const { name, from, to } = options;
  const [, domain = "localhost"] = /@([A-Za-z0-9.-]+)>?$/.exec(from) ?? [];
  return {
    name,
    kind: "mail",
    async send(message, signal) {
      const transport = await transportOf(options);
      const mail = { ...headersOf(message, domain), from, to: [...to], text: message.text, signal };
      await transport.sendMail(mail).catch((thrown: unknown) => {
        signal.throwIfAborted();
        throw mailError(thrown);
      });
    },
    async check(signal) {
      const transport = await transportOf(options);
      signal.throwIfAborted();
      await orAborted(transport.verify(), signal).catch((thrown: unknown) => {
        signal.throwIfAborted();
        throw mailError(thrown);
      });
    },
  };
}

/** The same message, sent twice, can be told by its id; nobody's vacation answers. RFC 3834 5. */
function headersOf({ id, subject, atMs }: ChannelMessage, domain: string) {
  const headers = { "Auto-Submitted": "auto-generated" };
  return { messageId: `<${id}@${domain}>`, subject, date: new Date(atMs), headers };
}

async function transportOf({ host, port, tls, user, security, silenceMs = SILENCE_MS }: MailOptions) {
  // Loaded when it is needed: who sends no mail starts without it.
  const { createTransport } = await import("nodemailer");
  const own = await security();
  return createTransport({
    host,
    port,
    secure: tls === "implicit",
    requireTLS: tls === "starttls",
    ignoreTLS: tls === "none",
    tls: {
      minVersion: "TLSv1.2",
      ...(own?.certificateAuthorities === undefined ? {} : { ca: own.certificateAuthorities }),
    },
    ...(user === undefined ? {} : { auth: { user: user.name, pass: await user.password() } }),
    connectionTimeout: CONNECT_MS,
    dnsTimeout: CONNECT_MS,
    greetingTimeout: Math.min(CONNECT_MS, silenceMs),
    socketTimeout: silenceMs,
    disableFileAccess: true,
    disableUrlAccess: true,
  });
}
