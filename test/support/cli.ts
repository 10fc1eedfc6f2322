import { Writable } from "node:stream";
import type { ExitCode } from "../../src/cli/exit-codes.ts";
import { run } from "../../src/cli/run.ts";
import type { World } from "../../src/cli/world.ts";
import { GatewayError } from "../../src/errors/gateway-error.ts";
import type { Gateway } from "../../src/gateway/gateway.ts";
import type { Operations } from "../../src/operations/operations.ts";
import { type Clock, systemClock } from "../../src/units/clock.ts";

export interface CliResult {
  readonly exitCode: ExitCode;
  readonly stdout: string;
  readonly stderr: string;
}

export interface Capture extends Writable {
  readonly text: () => string;
  readonly isTTY?: boolean;
}

/** A stream that keeps what is written to it, and tells a listener of it. */
export function capture(onText: (text: string) => void = () => undefined): Capture {
  let text = "";
  const stream = new Writable({
    decodeStrings: false,
    write(chunk, _, done) {
      text += chunk;
      onText(text);
      done();
    },
  });
  return Object.assign(stream, { text: () => text });
}

/** Runs a command line in this process, in a world that has only what is given. */
export async function runCli(args: readonly string[], given: Partial<World> = {}): Promise<CliResult> {
  const stdout = capture();
  const stderr = capture();
  const exitCode = await run(args, {
    stdout,
    stderr,
    environment: {},
    workingFolder: "/",
    clock: systemClock,
    stop: new AbortController().signal,
    openGateway: () => Promise.reject(new GatewayError("INTERNAL", { why: "no gateway in this test" })),
    ...given,
  });
  return { exitCode, stdout: stdout.text(), stderr: stderr.text() };
}

/** A gateway whose operations are those given; any other fails. */
export function gatewayOf(operations: Partial<Operations>, hooks: Partial<Gateway> = {}): Gateway {
  const refusing = new Proxy(operations, {
    get: (target, name) =>
      Reflect.get(target, name) ?? (() => Promise.reject(new GatewayError("INTERNAL", { operation: String(name) }))),
  });
  return {
    operations: refusing as Operations,
    dicomPort: undefined,
    dicomTlsPort: undefined,
    drain: () => Promise.resolve(),
    [Symbol.asyncDispose]: () => Promise.resolve(),
    ...hooks,
  };
}

/** Sleeping passes the time at once, and calls the listener. */
export function jumpingClock(onSleep: (nowMs: number) => void = () => undefined): Clock {
  let nowMs = 0;
  return {
    nowMs: () => nowMs,
    async sleep(durationMs, signal) {
      signal?.throwIfAborted();
      nowMs += durationMs;
      onSleep(nowMs);
      signal?.throwIfAborted();
    },
  };
}
