import type { Writable } from "node:stream";
import type { Settings } from "../config/settings.ts";
import type { Gateway } from "../gateway/gateway.ts";
import { type Clock, systemClock } from "../units/clock.ts";
import type { Logger } from "../units/logger.ts";

export type Output = Writable & { readonly isTTY?: boolean | undefined; readonly columns?: number | undefined };

export type GatewayMode = "serve" | "worker" | "client";

type GatewayOpener = (options: {
  readonly settings: Settings;
  readonly mode: GatewayMode;
  /** Of a client: nothing that is asked of it stays. */
  readonly isRehearsal?: boolean;
  readonly logger: Logger;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly version: string;
  readonly reread: () => Promise<Settings>;
}) => Promise<Gateway>;

/** Everything outside the program that verbs touch, besides files and sockets: tests hand in their own. */
export interface World {
  readonly stdout: Output;
  readonly stderr: Output;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly workingFolder: string;
  readonly clock: Clock;
  /** Aborted by the first SIGINT or SIGTERM. */
  readonly stop: AbortSignal;
  /** Calls for every SIGHUP until it is disposed; undefined where there are no signals. */
  readonly onHangUp?: (listener: () => void) => Disposable;
  /** Puts a question to whoever sits at the terminal; undefined where nobody does. */
  readonly ask?: (question: string, signal: AbortSignal) => Promise<string>;
  readonly openGateway: GatewayOpener;
}

export function systemWorld(stop: AbortSignal): World {
  return {
    stdout: process.stdout,
    stderr: process.stderr,
    environment: process.env,
    workingFolder: process.cwd(),
    clock: systemClock,
    stop,
    onHangUp(listener) {
      process.on("SIGHUP", listener);
      return { [Symbol.dispose]: () => void process.off("SIGHUP", listener) };
    },
    ...(process.stdin.isTTY && process.stderr.isTTY ? { ask: askAtTerminal } : {}),
    // Loaded when it is needed: verbs without a gateway start without its code.
    openGateway: async (options) => (await import("../gateway/open-gateway.ts")).openGateway(options),
  };
}

async function askAtTerminal(question: string, signal: AbortSignal): Promise<string> {
  const { createInterface } = await import("node:readline/promises");
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  try {
    return await terminal.question(question, { signal });
  } finally {
    terminal.close();
  }
}
