import type { Command } from "commander";
import { secondsOption } from "../../option-parsers.ts";

/** Flags of every verb that asks a peer by HTTP. */
export interface HttpOptions {
  readonly ca?: string;
  readonly tlsCert?: string;
  readonly tlsKey?: string;
  readonly user?: string;
  readonly passwordFile?: string;
  readonly tokenFile?: string;
  readonly headerTimeout?: number;
  readonly idleTimeout?: number;
}

export function withHttpOptions(command: Command): Command {
  return command
    .option("--ca <file>", "authorities to check the peer's certificate against, as PEM; else the system's")
    .option("--tls-cert <file>", "certificate to show when the peer asks for one, as PEM; needs --tls-key")
    .option("--tls-key <file>", "key of the certificate, as PEM, readable by you alone")
    .option("--user <name>", "user to log in as; needs --password-file")
    .option("--password-file <file>", "file that holds the user's password, readable by you alone")
    .option("--token-file <file>", "file that holds a bearer token, readable by you alone")
    .option("--header-timeout <s>", "seconds to wait for an answer to begin", secondsOption)
    .option("--idle-timeout <s>", "seconds that may pass between two pieces of an answer", secondsOption);
}
