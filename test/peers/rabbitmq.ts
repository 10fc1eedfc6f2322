import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { freePort } from "./free-port.ts";
import { type KillablePeer, startServerProgram } from "./process.ts";

/** Debian's own script; the one on the PATH would change to the user of the system's broker. */
const SERVER = "/usr/lib/rabbitmq/bin/rabbitmq-server";

/** Small: the tests' messages are few. Idle threads do not spin. */
const EMULATOR_FLAGS = "+P 65536 +t 1048576 +S 1:1 +sbwt none +sbwtdcpu none +sbwtdio none";

export interface RabbitMqServer extends AsyncDisposable {
  readonly port: number;
  /** Of the broker, while it runs. */
  readonly pid: number | undefined;
  /** Ends it as a power cut would; what is durable stays. */
  kill(): Promise<void>;
  /** Starts it again on the same port, with what was durable. */
  start(): Promise<void>;
  output(): string;
}

/** A RabbitMQ with the user guest, on loopback only, with an Erlang port mapper of its own. */
export async function startRabbitMq(options: { readonly isStarted?: boolean } = {}): Promise<RabbitMqServer> {
  const { isStarted = true } = options;
  const folder = await mkdtemp(join(tmpdir(), "rabbitmq-"));
  const [port, mapperPort, distributionPort] = [await freePort(), await freePort(), await freePort()];
  await writeFile(join(folder, "enabled_plugins"), "[].");
  await writeFile(join(folder, "rabbit.conf"), `listeners.tcp.1 = 127.0.0.1:${port}\nlog.file = false\n`);
  await mkdir(join(folder, "log"));
  const environment = Object.entries(environmentOf(folder, mapperPort, distributionPort));
  const command = [...environment.map(([name, value]) => `${name}=${value}`), SERVER];
  const mapper = await startServerProgram(
    "epmd",
    ["-port", `${mapperPort}`, "-address", "127.0.0.1"],
    mapperPort,
    folder,
  );
  let broker: KillablePeer | undefined;
  const server: RabbitMqServer = {
    port,
    get pid() {
      return broker?.pid;
    },
    output: () => broker?.output() ?? "",
    async kill() {
      await broker?.kill();
      broker = undefined;
    },
    async start() {
      broker = await startServerProgram("env", command, port, folder);
    },
    async [Symbol.asyncDispose]() {
      await server.kill();
      await mapper[Symbol.asyncDispose]();
      await rm(folder, { recursive: true, force: true });
    },
  };
  if (isStarted) await server.start();
  return server;
}

function environmentOf(
  folder: string,
  mapperPort: number,
  distributionPort: number,
): Readonly<Record<string, string | number>> {
  return {
    HOME: folder,
    ERL_EPMD_PORT: mapperPort,
    ERL_EPMD_ADDRESS: "127.0.0.1",
    RABBITMQ_NODENAME: `practice-${mapperPort}@localhost`,
    RABBITMQ_BASE: folder,
    RABBITMQ_MNESIA_BASE: join(folder, "mnesia"),
    RABBITMQ_LOG_BASE: join(folder, "log"),
    RABBITMQ_LOGS: "-",
    RABBITMQ_ENABLED_PLUGINS_FILE: join(folder, "enabled_plugins"),
    RABBITMQ_PLUGINS_EXPAND_DIR: join(folder, "plugins"),
    RABBITMQ_FEATURE_FLAGS_FILE: join(folder, "feature_flags"),
    RABBITMQ_GENERATED_CONFIG_DIR: join(folder, "generated"),
    RABBITMQ_CONF_ENV_FILE: "/dev/null",
    RABBITMQ_CONFIG_FILE: join(folder, "rabbit.conf"),
    RABBITMQ_ADVANCED_CONFIG_FILE: join(folder, "absent.config"),
    RABBITMQ_PID_FILE: join(folder, "pid"),
    RABBITMQ_DIST_PORT: distributionPort,
    RABBITMQ_SERVER_ERL_ARGS: EMULATOR_FLAGS,
    RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS: "-kernel inet_dist_use_interface {127,0,0,1}",
    // The process is then the broker itself, and no shell in front of it.
    RUNNING_UNDER_SYSTEMD: "true",
  };
}
