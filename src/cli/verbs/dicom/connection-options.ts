import type { Command } from "commander";
import type { AeTitle } from "../../../dicom/ae-title.ts";
import { aeTitlesOption, pduLengthOption } from "../../option-parsers.ts";

/** Flags of every verb that connects to a peer. */
export interface ConnectionOptions {
  readonly tls?: boolean;
  readonly tlsCa?: string;
  readonly tlsCert?: string;
  readonly tlsKey?: string;
  readonly tlsServerName?: string;
  readonly user?: string;
  readonly passwordFile?: string;
  readonly maxPdu?: number;
}

export function withConnectionOptions(command: Command): Command {
  return command
    .option("--tls", "connect by TLS; every other --tls flag says so too")
    .option("--tls-ca <file>", "authorities to check the peer's certificate against, as PEM; else the system's")
    .option("--tls-cert <file>", "certificate to show when the peer asks for one, as PEM")
    .option("--tls-key <file>", "key of the certificate, as PEM, readable by you alone")
    .option("--tls-server-name <name>", "name that the peer's certificate bears; else the host")
    .option("--user <name>", "user identity to give to the peer")
    .option("--password-file <file>", "file that holds the user's password, readable by you alone")
    .option("--max-pdu <bytes>", "longest PDU the peer may send us", pduLengthOption);
}

/** Flags of a verb that listens. */
export interface ListenerOptions {
  readonly tlsCert?: string;
  readonly tlsKey?: string;
  readonly tlsClientCa?: string;
  readonly maxPdu?: number;
  readonly acceptCalling?: readonly AeTitle[];
  readonly user?: string;
  readonly passwordFile?: string;
}

export function withListenerOptions(command: Command): Command {
  return command
    .option("--tls-cert <file>", "listen over TLS with this certificate, as PEM; needs --tls-key")
    .option("--tls-key <file>", "key of the certificate, as PEM, readable by you alone")
    .option("--tls-client-ca <file>", "take only who shows a certificate of these authorities, as PEM")
    .option("--max-pdu <bytes>", "longest PDU that peers may send", pduLengthOption)
    .option("--accept-calling <ae...>", "take only these calling AE titles", aeTitlesOption)
    .option("--user <name>", "take only this user, by user identity; needs --password-file")
    .option("--password-file <file>", "file that holds the user's password, readable by you alone");
}
