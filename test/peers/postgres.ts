import { execFile } from "node:child_process";
import { mkdtemp, realpath, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { promisify } from "node:util";
import { freePort } from "./free-port.ts";
import { type KillablePeer, startServerProgram } from "./process.ts";
import { findPeer } from "./require-peer.ts";

const run = promisify(execFile);

/** Debian's user for it: PostgreSQL refuses to run as root. */
const USER = "postgres";
const AS_USER = ["setpriv", `--reuid=${USER}`, `--regid=${USER}`, "--clear-groups"];
const GRACE_MS = 500;
const RESTARTS = 20;
const RESTART_PAUSE_MS = 500;
const READY_TIMEOUT_MS = 20_000;
const RETRY_MS = 10;
/** A replica is ready for `read-only connections`. */
const READY = /ready to accept (?:read-only )?connections/;

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

export interface PostgresOptions {
  /** As it is run outside of tests. */
  readonly isDurable?: boolean;
  /** What follows this one, and takes no writes. */
  readonly replicaOf?: Pick<PostgresServer, "port">;
  /** Further settings, as `name=value`. */
  readonly settings?: readonly string[];
}

/** A file of root's as the server reads it: its own, and nobody else's. */
export async function giveToPostgres(...paths: readonly string[]): Promise<void> {
  if (process.getuid?.() === 0) await run("chown", [`${USER}:`, ...paths]);
}

/** An empty PostgreSQL on loopback, with a database named as its user. */
export async function startPostgres(options: PostgresOptions = {}): Promise<PostgresServer> {
  const { isDurable = false, replicaOf } = options;
  const folder = await mkdtemp(join(tmpdir(), "postgres-"));
  const [port, programs] = [await freePort(), dirname(await realpath(findPeer("initdb") ?? "initdb"))];
  const prefix = process.getuid?.() === 0 ? AS_USER : [];
  if (prefix.length > 0) await run("chown", [`${USER}:`, folder]);
  const data = join(folder, "data");
  const making =
    replicaOf === undefined
      ? ["initdb", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-instructions"]
      : ["pg_basebackup", "-h", "127.0.0.1", "-p", String(replicaOf.port), "-R", "-X", "stream", "-c", "fast"];
  const [maker = "", ...makingArguments] = making;
  const [initProgram = "", ...initArguments] = [
    ...prefix,
    join(programs, maker),
    ...["-D", data, "-U", USER, "--no-sync", ...makingArguments],
  ];
  await run(initProgram, initArguments, { cwd: folder });
  const settings = [
    ...COMMON,
    ...(isDurable ? [] : FAST),
    "listen_addresses=127.0.0.1",
    `unix_socket_directories=${folder}`,
    `port=${port}`,
    ...(options.settings ?? []),
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
    while (!READY.test(started.output()) && Date.now() < deadline) await delay(RETRY_MS);
    return started;
  };
  /** What a killed one had started goes by itself, and holds its shared memory until then. */
  const startAgain = async (triesLeft = RESTARTS): Promise<KillablePeer> => {
    try {
      return await start();
    } catch (thrown) {
      if (triesLeft === 0) throw thrown;
      await delay(RESTART_PAUSE_MS);
      return await startAgain(triesLeft - 1);
    }
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
      running = await startAgain();
    },
    async [Symbol.asyncDispose]() {
      await running[Symbol.asyncDispose]();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
