import { type ChildProcess, spawn } from "node:child_process";
import type { Dirent } from "node:fs";
import { lstat, opendir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Readable } from "node:stream";
import { setTimeout as delay } from "node:timers/promises";
import { endGroup, endProcessesOf, WORK_VARIABLE } from "./end-processes.ts";
import type { HookSettings } from "./hook.ts";
import { type Launch, SYSTEM_PATH } from "./isolation.ts";
import type { Workspace } from "./workspace.ts";

export type CommandEnd =
  | { readonly kind: "exited"; readonly code: number }
  | { readonly kind: "signalled" | "timed-out" | "output-limit" | "not-started" };

export interface CommandRun {
  readonly hook: HookSettings;
  readonly launch: Launch;
  readonly workspace: Workspace;
  /** Beside what every hook is told. */
  readonly environment: Readonly<Record<string, string>>;
}

/** Of standard output and standard error each; the rest is read and forgotten. */
const KEPT_LOG_BYTES = 64 * 1024;
const LOOK_MS = 250;
/** Looking takes no more than this share of the time. */
const LOOK_SHARE = 20;

/**
 * Runs the hook to its end, or ends it: everything that it started ends with it. What it prints is kept in the workspace, its beginning alone.
 * @throws the signal's reason; what the disk says of the workspace
 */
export async function runCommand(run: CommandRun, signal: AbortSignal): Promise<CommandEnd> {
  signal.throwIfAborted();
  const { hook, workspace } = run;
  const child = start(run);
  const printed = [keepBeginning(child.stdout), keepBeginning(child.stderr)] as const;
  const exited = exitOf(child);
  const over = new AbortController();
  const overdue = AbortSignal.timeout(hook.timeoutMs);
  const limits = { bytes: hook.maximumOutputBytes, files: hook.maximumOutputFiles };
  const tooMuch = watchOutput([workspace.output, workspace.scratch], limits, over.signal);
  try {
    const end = await Promise.race([exited, tooMuch, abortOf(overdue, "timed-out"), abortOf(signal, "signalled")]);
    signal.throwIfAborted();
    return end;
  } finally {
    over.abort();
    if (child.pid !== undefined) await endGroup(child.pid);
    if (!run.launch.isIsolated) await endProcessesOf(workspace.folder);
    await exited;
    for (const stream of child.stdio) stream?.destroy();
    await writeFile(workspace.printed, printed[0](), { mode: 0o600 });
    await writeFile(workspace.complained, printed[1](), { mode: 0o600 });
  }
}

function start({ hook, launch, workspace, environment }: CommandRun): ChildProcess {
  const [program = "", ...args] = launch.commandOf([...hook.command, workspace.input, workspace.output]);
  return spawn(program, args, {
    cwd: workspace.scratch,
    env: {
      ...environment,
      PATH: SYSTEM_PATH,
      LANG: "C.UTF-8",
      HOME: workspace.scratch,
      TMPDIR: workspace.scratch,
      [WORK_VARIABLE]: workspace.folder,
    },
    shell: false,
    detached: true,
    // The last one tells a hook without namespaces, by ending, that we have ended.
    stdio: ["ignore", "pipe", "pipe", "pipe"],
  });
}

function exitOf(child: ChildProcess): Promise<CommandEnd> {
  return new Promise((resolve) => {
    child.once("error", () => resolve({ kind: "not-started" }));
    child.once("exit", (code) => resolve(code === null ? { kind: "signalled" } : { kind: "exited", code }));
  });
}

function abortOf(signal: AbortSignal, kind: "timed-out" | "signalled"): Promise<CommandEnd> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve({ kind });
    else signal.addEventListener("abort", () => resolve({ kind }), { once: true });
  });
}

/** Reads all of it, so that the program never waits for us. */
function keepBeginning(stream: Readable | null): () => Buffer {
  const kept: Buffer[] = [];
  let sizeBytes = 0;
  stream?.on("data", (chunk: Buffer) => {
    const part = chunk.subarray(0, KEPT_LOG_BYTES - sizeBytes);
    if (part.length > 0) kept.push(part);
    sizeBytes += part.length;
  });
  stream?.on("error", () => undefined);
  return () => Buffer.concat(kept);
}

export interface OutputLimits {
  readonly bytes: number;
  readonly files: number;
}

/** Resolves when there is more in the folders than there may be; never else. */
async function watchOutput(folders: readonly string[], limits: OutputLimits, over: AbortSignal): Promise<CommandEnd> {
  for (;;) {
    const startedMs = performance.now();
    if (await isBeyond(folders, limits, over)) return { kind: "output-limit" };
    const tookMs = performance.now() - startedMs;
    await delay(Math.max(LOOK_MS, tookMs * LOOK_SHARE), undefined, { signal: over }).catch(() => undefined);
    if (over.aborted) return await new Promise(() => undefined);
  }
}

/** Folders count as files: they take room as well. What goes while it is counted is not counted. */
export async function isBeyond(
  folders: readonly string[],
  { bytes, files }: OutputLimits,
  signal?: AbortSignal,
): Promise<boolean> {
  let count = 0;
  let sizeBytes = 0;
  for (const folder of folders) {
    for await (const { parentPath, name } of entriesBelow(folder)) {
      if (signal?.aborted === true) return false;
      const found = await lstat(join(parentPath, name)).catch(() => undefined);
      count += 1;
      if (found?.isFile() === true) sizeBytes += found.size;
      if (count > files || sizeBytes > bytes) return true;
    }
  }
  return false;
}

async function* entriesBelow(folder: string): AsyncGenerator<Dirent> {
  const waiting = [folder];
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    const opened = await opendir(next).catch(() => undefined);
    if (opened === undefined) continue;
    try {
      for await (const entry of opened) {
        if (entry.isDirectory()) waiting.push(join(next, entry.name));
        yield entry;
      }
    } catch {
      // It went while it was read: what is left is counted the next time, and at the end.
    }
  }
}
