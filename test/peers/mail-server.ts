import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { SMTPServer, type SMTPServerOptions } from "smtp-server";
import type { TestCertificate } from "./certificates.ts";

/** What was taken, as it came over the wire. */
export interface TakenMail {
  readonly from: string;
  readonly to: readonly string[];
  /** Header and text. */
  readonly raw: string;
  readonly subject: string;
  readonly user: string | undefined;
  readonly isSecure: boolean;
}

export interface MailServerOptions {
  /** Absent: it knows no TLS. */
  readonly certificate?: TestCertificate;
  /** TLS from the first byte. */
  readonly implicit?: boolean;
  /** Who has to log in; absent: nobody. */
  readonly user?: { readonly name: string; readonly password: string };
  readonly port?: number;
  /** Answered to so many messages before the first is taken. */
  readonly refusals?: readonly { readonly status: number; readonly at: "sender" | "recipient" | "data" }[];
  /** It lets nobody go on after the greeting. */
  readonly hangs?: boolean;
}

/** `smtp-server` on a free port of this machine. */
export interface MailServer extends AsyncDisposable {
  readonly port: number;
  readonly mails: readonly TakenMail[];
  /** Connections so far. */
  connections(): number;
  /** Resolves when so many mails were taken in all. */
  taken(count: number): Promise<void>;
}

export async function startMailServer(options: MailServerOptions = {}): Promise<MailServer> {
  const { user, hangs = false } = options;
  const mails: TakenMail[] = [];
  const waiting = new Set<() => void>();
  let connections = 0;
  const refuse = createRefusals(options);
  const server = new SMTPServer({
    ...securityOf(options),
    onConnect(_, done) {
      connections += 1;
      if (!hangs) done();
    },
    onAuth({ username, password }, _, done) {
      if (username === user?.name && password === user?.password) done(null, { user: username });
      else done(Object.assign(new Error("who are you"), { responseCode: 535 }));
    },
    onMailFrom: (_, __, done) => done(refuse("sender")),
    onRcptTo: (_, __, done) => done(refuse("recipient")),
    onData(stream, session, done) {
      let raw = "";
      stream.setEncoding("utf8").on("data", (text: string) => {
        raw += text;
      });
      stream.once("end", () => {
        const refusal = refuse("data");
        if (refusal !== undefined) return done(refusal);
        const { mailFrom, rcptTo } = session.envelope;
        mails.push({
          from: mailFrom === false ? "" : mailFrom.address,
          to: rcptTo.map(({ address }) => address),
          raw,
          subject: /^Subject: (.*)$/m.exec(raw)?.[1]?.trim() ?? "",
          user: typeof session.user === "string" ? session.user : undefined,
          isSecure: session.secure,
        });
        done();
        for (const wake of waiting) wake();
      });
    },
  });
  server.on("error", () => undefined);
  server.listen(options.port ?? 0, "127.0.0.1");
  await once(server.server, "listening");
  return {
    port: (server.server.address() as AddressInfo).port,
    mails,
    connections: () => connections,
    async taken(count) {
      while (mails.length < count) {
        await new Promise<void>((resolve) => {
          const wake = (): void => {
            waiting.delete(wake);
            resolve();
          };
          waiting.add(wake);
        });
      }
    },
    async [Symbol.asyncDispose]() {
      await new Promise<void>((resolve) => server.close(resolve));
    },
  };
}

type Moment = "sender" | "recipient" | "data";

/** Each holds once, in their order. */
function createRefusals(options: MailServerOptions): (at: Moment) => Error | undefined {
  const refusals = [...(options.refusals ?? [])];
  return (at) => {
    if (refusals[0]?.at !== at) return undefined;
    return Object.assign(new Error("not now"), { responseCode: refusals.shift()?.status });
  };
}

function securityOf({ certificate, implicit = false, user }: MailServerOptions): SMTPServerOptions {
  const disabledCommands = [
    ...(user === undefined ? ["AUTH"] : []),
    ...(certificate === undefined ? ["STARTTLS"] : []),
  ];
  return {
    ...(certificate === undefined ? {} : { cert: certificate.certificate, key: certificate.key }),
    secure: implicit,
    authOptional: user === undefined,
    disabledCommands,
  };
}
