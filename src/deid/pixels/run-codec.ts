import { type ChildProcess, spawn } from "node:child_process";
import { open } from "node:fs/promises";
import type { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";

/** What a codec is given and allowed. */
export interface CodecRun {
  /** The absolute path of a program, then its arguments. No shell reads them. */
  readonly command: readonly string[];
  /** Its standard input. */
  readonly inputPath: string;
  /** Where its standard output goes; it must not be there yet. */
  readonly outputPath: string;
  /** Its working folder. */
  readonly folder: string;
  readonly timeoutMs: number;
  readonly maximumOutputBytes: number;
}

/** Words for the report. */
export type CodecFailure = "codec-missing" | "codec-failed" | "codec-timeout" | "codec-output-too-large";

const OWNER_ONLY = 0o600;

/**
 * Runs a program from one file to another, in a process group of its own and with an empty environment, and ends all of the group that is
 * left when it is over, whatever way it ended. What it writes to standard error is not read: it might quote the image.
 * @returns undefined when it ended with 0
 * @throws the signal's reason; NodeJS.ErrnoException of the two files
 */
export async function runCodec(run: CodecRun, signal: AbortSignal): Promise<CodecFailure | undefined> {
  signal.throwIfAborted();
  const [program = "", ...args] = run.command;
  await using input = await open(run.inputPath, "r");
  await using output = await open(run.outputPath, "wx", OWNER_ONLY);
  // From here on an abort ends what was begun; one that came before would end nothing.
  signal.throwIfAborted();
  const child = spawn(program, args, {
    cwd: run.folder,
    env: {},
    shell: false,
    detached: true,
    stdio: [input.fd, "pipe", "ignore"],
  });
  const ended = exitOf(child);
  const { stdout } = child;
  if (stdout === null) return "codec-failed";
  const overdue = AbortSignal.timeout(run.timeoutMs);
  const stop = AbortSignal.any([signal, overdue]);
  const end = (): void => endGroup(child);
  stop.addEventListener("abort", end);
  try {
    const fits = await copyUpTo(run.maximumOutputBytes, stdout, output.createWriteStream(), stop);
    if (!fits) return "codec-output-too-large";
    const exit = await ended;
    signal.throwIfAborted();
    if (overdue.aborted) return "codec-timeout";
    if (exit === "missing") return "codec-missing";
    return exit === 0 ? undefined : "codec-failed";
  } finally {
    stop.removeEventListener("abort", end);
    end();
    await ended;
  }
}

/** The exit code; undefined when a signal ended it. */
function exitOf(child: ChildProcess): Promise<number | "missing" | undefined> {
  return new Promise((resolve) => {
    child.once("error", () => resolve("missing"));
    child.once("exit", (code) => resolve(code ?? undefined));
  });
}

/** Whatever it started ends with it. */
function endGroup({ pid }: ChildProcess): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, "SIGKILL");
  } catch (thrown) {
    if (!(thrown instanceof Error && "code" in thrown && thrown.code === "ESRCH")) throw thrown;
  }
}

class TooMuchOutput extends Error {}

/** False: there is more. A pipe that breaks because the program is gone has ended. */
async function copyUpTo(limit: number, from: Readable, to: NodeJS.WritableStream, stop: AbortSignal): Promise<boolean> {
  let sizeBytes = 0;
  try {
    await pipeline(
      from,
      async function* (chunks: AsyncIterable<Buffer>) {
        for await (const chunk of chunks) {
          sizeBytes += chunk.length;
          if (sizeBytes > limit) throw new TooMuchOutput();
          yield chunk;
        }
      },
      to,
      { signal: stop },
    );
    return true;
  } catch (thrown) {
    if (thrown instanceof TooMuchOutput) return false;
    if (stop.aborted) return true;
    throw thrown;
  }
}
