import { execFile } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { promisify } from "node:util";
import { freePort, type KillablePeer, startServerProgram } from "./process.ts";
import { findPeer } from "./require-peer.ts";

const run = promisify(execFile);

/** Debian's user for it: PostgreSQL refuses to run as root. */
const USER = "postgres";
const AS_USER = ["setpriv", `--reuid=${USER}`, `--regid=${USER}`, "--clear-groups"];
const GRACE_MS = 500;
const READY_TIMEOUT_MS = 20_000;
const RETRY_MS = 10;

const COMMON = ["max_connections=40"];
/** What is lost in a crash does not matter here. */
const FAST = ["fsync=off", "synchronous_commit=off", "full_page_writes=off"];

export interface PostgresServer extends KillablePeer {
  /** Again on the same data, after it was killed. */
  restart(): Promise<void>;
  readonly port: number;
  /** May do everything; no password is asked. */
  readonly user: string;
}

/** An empty PostgreSQL on loopback, with a database named as its user. @param isDurable as it is run outside of tests */
export async function startPostgres({ isDurable = false } = {}): Promise<PostgresServer> {
  const folder = await mkdtemp(join(tmpdir(), "postgres-"));
  const [port, programs] = [await freePort(), dirname(findPeer("initdb") ?? "initdb")];
  const prefix = process.getuid?.() === 0 ? AS_USER : [];
  if (prefix.length > 0) await run("chown", [`${USER}:`, folder]);
  const data = join(folder, "data");
  const [initProgram = "", ...initArguments] = [
    ...prefix,
    join(programs, "initdb"),
    ...["-D", data, "-U", USER, "-A", "trust", "--no-sync", "-E", "UTF8", "--locale=C", "--no-instructions"],
  ];
  await run(initProgram, initArguments, { cwd: folder });
  const settings = [
    ...COMMON,
    ...(isDurable ? [] : FAST),
    "listen_addresses=127.0.0.1",
    `unix_socket_directories=${folder}`,
    `port=${port}`,
  ];
  const [program = "", ...args] = [
    ...prefix,
    join(programs, "postgres"),
    ...["-D", data, ...settings.flatMap((setting) => ["-c", setting])],
  ];
  const start = async (): Promise<KillablePeer> => {
    const started = await startServerProgram(program, args, port, folder, GRACE_MS);
    // It listens before it answers.
    const deadline = Date.now() + READY_TIMEOUT_MS;
    while (!started.output().includes("ready to accept connections") && Date.now() < deadline) await delay(RETRY_MS);
    return started;
  };
  let running = await start();
  return {
    port,
    user: USER,
    get pid() {
      return running.pid;
    },
    output: () => running.output(),
    kill: () => running.kill(),
    async restart() {
      running = await start();
    },
    async [Symbol.asyncDispose]() {
      await running[Symbol.asyncDispose]();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
