import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { connect } from "node:net";
import { setTimeout as delay } from "node:timers/promises";

/** How long a program may take to end in order. */
const GRACE_MS = 3_000;
/** RabbitMQ takes seconds even on an idle machine. */
const READY_TIMEOUT_MS = 50_000;
const RETRY_MS = 20;
const MAXIMUM_OUTPUT_BYTES = 1024 * 1024;

/** dcmtk waits 40 ms for each small message unless told otherwise. */
function environment(): NodeJS.ProcessEnv {
  return { ...process.env, TCP_NODELAY: "1" };
}

/** A running program; closing ends it with SIGTERM, then SIGKILL. */
export interface RunningPeer extends AsyncDisposable {
  /** What it has printed so far, both streams. */
  output(): string;
}

/** One that can be ended as a power cut would end it. */
export interface KillablePeer extends RunningPeer {
  /** Of the program; it may have started others. */
  readonly pid: number;
  /** SIGKILL, until it is gone. */
  kill(): Promise<void>;
}

/** Starts a server program and waits until it takes connections on the port. After `graceMs` its end is forced. */
export async function startServerProgram(
  program: string,
  args: readonly string[],
  port: number,
  cwd: string,
  graceMs = GRACE_MS,
): Promise<KillablePeer> {
  const child = spawn(program, args, { cwd, env: environment(), stdio: ["ignore", "pipe", "pipe"] });
  const output = collect(child);
  const running: KillablePeer = {
    output,
    pid: child.pid ?? 0,
    kill: () => endBySignal(child, "SIGKILL"),
    [Symbol.asyncDispose]: () => stopProcess(child, graceMs),
  };
  const deadline = Date.now() + READY_TIMEOUT_MS;
  while (!(await takesConnections(port))) {
    if (child.exitCode !== null || Date.now() > deadline) {
      await stopProcess(child, graceMs);
      throw new Error(`${program} did not start:\n${output()}`);
    }
    await delay(RETRY_MS);
  }
  return running;
}

/** A server program that can be killed and then started again with the same arguments. */
export interface RestartablePeer extends KillablePeer {
  start(): Promise<void>;
}

/** As `startServerProgram`. */
export async function startRestartableProgram(
  ...args: Parameters<typeof startServerProgram>
): Promise<RestartablePeer> {
  let running = await startServerProgram(...args);
  return {
    output: () => running.output(),
    get pid() {
      return running.pid;
    },
    kill: () => running.kill(),
    async start() {
      running = await startServerProgram(...args);
    },
    [Symbol.asyncDispose]: () => running[Symbol.asyncDispose](),
  };
}

/** Runs a program to its end, which an aborted signal brings about by SIGKILL. */
export async function runProgram(
  program: string,
  args: readonly string[],
  cwd: string,
  signal?: AbortSignal,
): Promise<{ readonly exitCode: number | null; readonly output: string }> {
  const child = spawn(program, args, { cwd, env: environment(), stdio: ["ignore", "pipe", "pipe"] });
  const output = collect(child);
  signal?.addEventListener("abort", () => child.kill("SIGKILL"), { once: true });
  await once(child, "close");
  return { exitCode: child.exitCode, output: output() };
}

function collect(child: ChildProcess): () => string {
  let text = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream?.on("data", (chunk: Buffer) => {
      text = (text + chunk.toString()).slice(-MAXIMUM_OUTPUT_BYTES);
    });
  }
  return () => text;
}

/** SIGTERM, and SIGKILL when that was not enough. */
export async function stopProcess(child: ChildProcess, graceMs: number): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, "exit");
  child.kill("SIGTERM");
  const killer = setTimeout(() => child.kill("SIGKILL"), graceMs);
  await exited;
  clearTimeout(killer);
}

async function endBySignal(child: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, "exit");
  child.kill(signal);
  await exited;
}

export async function takesConnections(port: number): Promise<boolean> {
  const socket = connect(port, "127.0.0.1");
  try {
    await once(socket, "connect");
    return true;
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}
