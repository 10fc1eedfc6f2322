import { spawn } from "node:child_process";
import { once } from "node:events";
import type { HookNetwork, HookSettings } from "./hook.ts";

/** How a hook is started. */
export interface Launch {
  /** The whole command, of which the hook's own is the end. */
  commandOf(own: readonly string[]): readonly string[];
  /** In namespaces of its own, where nothing that it starts outlives it; else a group of processes, watched from within. */
  readonly isIsolated: boolean;
}

/** Where system programs are; hooks see nothing else of our environment. */
export const SYSTEM_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

type Limits = Pick<HookSettings, "maximumOutputBytes" | "maximumMemoryBytes" | "maximumCpuSeconds">;

const PROBE_TIMEOUT_MS = 10_000;
/** `ulimit -f` counts these. */
const BLOCK_BYTES = 512;

/**
 * How a hook with these limits can be run on this machine, found by trying: in namespaces of its own (Linux, unshare and setpriv of util-linux),
 * else as a plain group of processes where it may have the network. Undefined: not at all.
 */
export async function findLaunch(hook: Limits & Pick<HookSettings, "network">): Promise<Launch | undefined> {
  const limits = limitsOf(hook);
  for (const namespaces of namespacesFor(hook.network)) {
    const launch = isolated(namespaces, limits);
    if (await works(launch)) return launch;
  }
  if (hook.network === "none") return undefined;
  const launch = launchInGroup(hook);
  return (await works(launch)) ? launch : undefined;
}

/** Closest first. A user who is not root needs a namespace of users to make the others. */
function namespacesFor(network: HookNetwork): readonly (readonly string[])[] {
  const net = network === "none" ? ["--net"] : [];
  const pid = ["--pid", "--fork", "--kill-child=KILL"];
  const users = ["--user", "--map-current-user"];
  return [
    [...net, ...pid, "--mount-proc"],
    [...users, ...net, ...pid, "--mount-proc"],
    [...net, ...pid],
    [...users, ...net, ...pid],
  ];
}

/**
 * The kernel ends unshare when we end, however we do, and then everything in the namespace of processes. The shell is its first process: it must not be
 * the hook itself, whose signals would have no effect there.
 */
function isolated(namespaces: readonly string[], limits: string): Launch {
  const prefix = ["setpriv", "--pdeathsig", "KILL", "unshare", ...namespaces, "--"];
  const script = `${limits}"$@"\nexit "$?"`;
  return { isIsolated: true, commandOf: (own) => [...prefix, "sh", "-c", script, "hook", ...own] };
}

/** As a plain group of processes. Descriptor 3 is a pipe from us: it ends when we do, and the watcher ends its group then. */
export function launchInGroup(hook: Limits): Launch {
  const script = [
    "(cat <&3 >/dev/null 2>&1; kill -KILL 0) & watcher=$!",
    `${limitsOf(hook)}"$@" 3<&-`,
    'code="$?"',
    'kill -KILL "$watcher" 2>/dev/null',
    'exit "$code"',
  ].join("\n");
  return { isIsolated: false, commandOf: (own) => ["sh", "-c", script, "hook", ...own] };
}

/** Exit code 125 when the shell cannot set one of them. */
function limitsOf(hook: Limits): string {
  const { maximumOutputBytes, maximumMemoryBytes, maximumCpuSeconds } = hook;
  const set = (letter: string, value: number): string => `ulimit -${letter} ${value} || exit 125\n`;
  return [
    set("c", 0),
    set("f", Math.ceil(maximumOutputBytes / BLOCK_BYTES)),
    maximumMemoryBytes === undefined ? "" : set("v", Math.floor(maximumMemoryBytes / 1024)),
    maximumCpuSeconds === undefined ? "" : set("t", Math.ceil(maximumCpuSeconds)),
  ].join("");
}

async function works({ commandOf }: Launch): Promise<boolean> {
  const [program = "", ...args] = commandOf(["true"]);
  const child = spawn(program, args, {
    env: { PATH: SYSTEM_PATH },
    stdio: ["ignore", "ignore", "ignore", "pipe"],
    timeout: PROBE_TIMEOUT_MS,
    killSignal: "SIGKILL",
  });
  try {
    const [code] = await once(child, "exit");
    return code === 0;
  } catch {
    return false;
  }
}
