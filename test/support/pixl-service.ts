import { type ChildProcess, execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Database, openDatabase } from "../../src/compat/pixl/database/connection.ts";
import { startPostgres } from "../peers/postgres.ts";
import { ROOT } from "../tidy/repository.ts";

const PROGRAM = join(ROOT, "bin/radferry");

/** An imaging API of ours, as a process of its own. */
export interface PixlService extends AsyncDisposable {
  readonly url: string;
  readonly child: ChildProcess;
  /** The log so far. */
  log(): string;
  rate(): Promise<unknown>;
  setRate(rate: number): Promise<void>;
  /** @returns status and body */
  post(messages: unknown): Promise<readonly [number, string]>;
  /** SIGKILL, until it is gone. */
  kill(): Promise<void>;
  /** SIGTERM, until it is gone. @returns the exit code */
  end(): Promise<number | null>;
}

interface Home extends AsyncDisposable {
  readonly folder: string;
  readonly database: Database;
  /** The names of PIXL's `.env` that a home and a database of one's own need. */
  readonly environment: Readonly<Record<string, string>>;
}

/** An empty home, and an empty PostgreSQL. */
export async function openPixlHome(): Promise<Home> {
  await using opened = new AsyncDisposableStack();
  const server = opened.use(await startPostgres());
  const { port, user } = server;
  const folder = await mkdtemp(join(tmpdir(), "pixl-home-"));
  opened.defer(() => rm(folder, { recursive: true, force: true }));
  const database = opened.use(await openDatabase({ host: "127.0.0.1", port, database: user, user, password: "" }));
  const closing = opened.move();
  return {
    folder,
    database,
    environment: {
      RADFERRY_HOME: join(folder, "state"),
      PIXL_DB_HOST: "127.0.0.1",
      PIXL_DB_PORT: `${port}`,
      PIXL_DB_NAME: user,
      PIXL_DB_USER: user,
      CLI_PIXL_DB_HOST: "127.0.0.1",
      CLI_PIXL_DB_PORT: `${port}`,
    },
    [Symbol.asyncDispose]: () => closing.disposeAsync(),
  };
}

/** What a program answered that ended by itself. */
export interface Ended {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a verb to its end. */
export async function runRadferry(
  args: readonly string[],
  environment: Readonly<Record<string, string>>,
  cwd: string,
): Promise<Ended> {
  return await new Promise((resolve) => {
    execFile(PROGRAM, [...args], { env: { ...process.env, ...environment }, cwd }, (error, stdout, stderr) => {
      resolve({ exitCode: typeof error?.code === "number" ? error.code : error === null ? 0 : -1, stdout, stderr });
    });
  });
}

/** Resolves when it answers. @throws Error with what it said when it ended instead */
export async function startPixlService(
  environment: Readonly<Record<string, string>>,
  options: { readonly cwd?: string; readonly port?: number } = {},
): Promise<PixlService> {
  const args = ["compat", "pixl", "--host", "127.0.0.1", "--port", `${options.port ?? 0}`, "--json"];
  const child = spawn(PROGRAM, args, { env: { ...process.env, ...environment }, cwd: options.cwd ?? tmpdir() });
  let stderr = "";
  child.stderr.on("data", (chunk: Buffer) => {
    stderr += chunk.toString();
  });
  let stdout = "";
  for await (const chunk of child.stdout) {
    stdout += String(chunk);
    if (stdout.trimEnd().endsWith("}")) break;
  }
  const port = /"httpPort": (\d+)/.exec(stdout)?.[1];
  if (port === undefined) throw new Error(`it did not start:\n${stdout}${stderr}`);
  const url = `http://127.0.0.1:${port}`;
  const send = async (path: string, body: unknown): Promise<readonly [number, string]> => {
    const headers = { "content-type": "application/json" };
    const answer = await fetch(`${url}${path}`, { method: "POST", headers, body: JSON.stringify(body) });
    return [answer.status, await answer.text()];
  };
  const gone = async (signal: NodeJS.Signals): Promise<number | null> => {
    if (child.exitCode === null && child.signalCode === null) {
      const closed = once(child, "close");
      child.kill(signal);
      await closed;
    }
    return child.exitCode;
  };
  return {
    url,
    child,
    log: () => stderr,
    rate: async () => await (await fetch(`${url}/token-bucket-refresh-rate`)).json(),
    async setRate(rate) {
      const [status, text] = await send("/token-bucket-refresh-rate", { rate });
      if (status !== 200) throw new Error(text);
    },
    post: (messages) => send("/messages", messages),
    kill: async () => void (await gone("SIGKILL")),
    end: () => gone("SIGTERM"),
    [Symbol.asyncDispose]: async () => void (await gone("SIGKILL")),
  };
}
