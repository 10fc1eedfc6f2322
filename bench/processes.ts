import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { delimiter } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { stopProcess, takesConnections } from "../test/peers/process.ts";

const READY_TIMEOUT_MS = 30_000;
const RUN_TIMEOUT_MS = 600_000;
const STOP_TIMEOUT_MS = 5_000;
const RETRY_MS = 20;
/** The kernel keeps the peak itself: a late look misses only what grew in the last moment. */
const LOOK_EVERY_MS = 20;
const MAXIMUM_OUTPUT_BYTES = 1024 * 1024;

const ROOT = fileURLToPath(new URL("..", import.meta.url));

/** The program as its users start it. */
export const RADFERRY = `${ROOT}bin/radferry`;

/** What bin/radferry sets for the verbs that retrieve. */
export const SETTINGS_OF_VERBS = ["MALLOC_ARENA_MAX=1", `NODE_COMPILE_CACHE=${ROOT}node_modules/.cache/radferry`];

/** A script of this folder, as program and arguments. */
export function benchScript(name: string): readonly [program: string, script: string] {
  return [process.execPath, `${ROOT}bench/${name}`];
}

/** A script of a peer's language. */
export function benchPeer(name: string): string {
  return `${ROOT}bench/peers/${name}`;
}

/** dcmtk holds small messages back for 40 ms unless told otherwise; daemons are not on everyone's PATH. */
function environment(): NodeJS.ProcessEnv {
  const path = [process.env.PATH, "/usr/sbin", "/usr/local/sbin"].join(delimiter);
  return { ...process.env, PATH: path, TCP_NODELAY: "1" };
}

export interface Finished {
  /** From the start of the process to its end. */
  readonly seconds: number;
  readonly peakRssBytes: number;
  readonly stdout: string;
}

/** Runs a program to its end. @throws Error when it fails, with what it printed */
export async function runToEnd(program: string, args: readonly string[], cwd: string): Promise<Finished> {
  const startedAtMs = performance.now();
  const child = spawn(program, args, { cwd, env: environment(), stdio: ["ignore", "pipe", "pipe"] });
  const stdout = collect(child.stdout);
  const stderr = collect(child.stderr);
  const peak = watchPeak(child);
  const limit = setTimeout(() => child.kill("SIGKILL"), RUN_TIMEOUT_MS);
  // The streams may stay open a little longer than the process.
  let seconds = 0;
  child.once("exit", () => {
    seconds = (performance.now() - startedAtMs) / 1_000;
  });
  await once(child, "close");
  clearTimeout(limit);
  const peakRssBytes = peak();
  if (child.exitCode !== 0) {
    throw new Error(`${program} ended with ${child.exitCode ?? child.signalCode}:\n${stdout()}\n${stderr()}`);
  }
  return { seconds, peakRssBytes, stdout: stdout() };
}

export interface RunningServer extends AsyncDisposable {
  readonly pid: number;
  peakRssBytes(): number;
  /** What it has printed so far. */
  stdout(): string;
}

/** Starts a program and waits until it takes connections on the port. */
export async function startServer(
  program: string,
  args: readonly string[],
  port: number,
  cwd: string,
): Promise<RunningServer> {
  const child = spawn(program, args, { cwd, env: environment(), stdio: ["ignore", "pipe", "pipe"] });
  const stdout = collect(child.stdout);
  const stderr = collect(child.stderr);
  const deadlineMs = performance.now() + READY_TIMEOUT_MS;
  while (!(await takesConnections(port))) {
    if (child.exitCode !== null || performance.now() > deadlineMs) {
      await stopProcess(child, STOP_TIMEOUT_MS);
      throw new Error(`${program} did not start:\n${stdout()}\n${stderr()}`);
    }
    await delay(RETRY_MS);
  }
  return {
    pid: child.pid ?? 0,
    peakRssBytes: () => peakRssOf(child),
    stdout,
    [Symbol.asyncDispose]: () => stopProcess(child, STOP_TIMEOUT_MS),
  };
}

/** What was printed so far, its end when it is long. */
function collect(stream: NodeJS.ReadableStream): () => string {
  let text = "";
  stream.on("data", (chunk: Buffer) => {
    text = (text + chunk.toString()).slice(-MAXIMUM_OUTPUT_BYTES);
  });
  return () => text;
}

/** In proc(5) times are in ticks, 100 a second. */
const TICKS_PER_SECOND = 100;

/** Processor time of a process so far, user and system, of all its threads; 0 when it is gone. */
export function processorSecondsOf(pid: number): number {
  try {
    const line = readFileSync(`/proc/${pid}/stat`, "latin1");
    // Behind the program's name, in parentheses, stand the third field and all others; utime and stime are the 14th and 15th.
    const fields = line.slice(line.lastIndexOf(")") + 2).split(" ");
    return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND;
  } catch {
    return 0;
  }
}

/** VmHWM of proc(5); 0 when the process is gone. */
function peakRssOf({ pid }: ChildProcess): number {
  try {
    const [, kilobytes = "0"] = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, "utf8")) ?? [];
    return Number(kilobytes) * 1_024;
  } catch {
    return 0;
  }
}

function watchPeak(child: ChildProcess): () => number {
  let peak = 0;
  const timer = setInterval(() => {
    peak = Math.max(peak, peakRssOf(child));
  }, LOOK_EVERY_MS);
  return () => {
    clearInterval(timer);
    return peak;
  };
}
