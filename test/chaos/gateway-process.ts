import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { stringify } from "yaml";
import type { ApiSite } from "../support/api.ts";

const PROGRAM = fileURLToPath(new URL("../../bin/radferry", import.meta.url));

/** A gateway that is a program of its own, asked by its API. */
export interface GatewayProcess extends AsyncDisposable {
  readonly home: string;
  readonly call: ApiSite["call"];
  /** To the program. */
  signal(name: NodeJS.Signals): void;
  /** SIGKILL, until it is gone. */
  kill(): Promise<void>;
  /** Over the same home. */
  start(): Promise<void>;
}

/** Resolves when it accepts associations. */
export async function startGatewayProcess(
  folder: string,
  settings: Readonly<Record<string, unknown>>,
): Promise<GatewayProcess> {
  const [home, file] = [join(folder, "home"), join(folder, "radferry.yaml")];
  await writeFile(file, stringify({ home, http: { port: 0 }, staging: { reserveGigabytes: 0 }, ...settings }));
  const env = { ...process.env, RADFERRY_CONFIG: file };
  let running: { readonly child: ChildProcess; readonly httpPort: number } | undefined;
  let token = "";
  const end = async (name: NodeJS.Signals): Promise<void> => {
    const child = running?.child;
    running = undefined;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    child.kill(name);
    await once(child, "close");
  };
  const start = async (): Promise<void> => {
    const child = spawn(PROGRAM, ["serve", "--json"], { env, cwd: folder, stdio: ["ignore", "pipe", "ignore"] });
    let text = "";
    for await (const chunk of child.stdout.iterator({ destroyOnReturn: false })) {
      text += String(chunk);
      if (text.trimEnd().endsWith("}")) break;
    }
    child.stdout.resume();
    const ready: { readonly httpPort: number; readonly firstToken?: string } = JSON.parse(text);
    token = ready.firstToken ?? token;
    running = { child, httpPort: ready.httpPort };
  };
  await start();
  return {
    home,
    start,
    kill: () => end("SIGKILL"),
    signal: (name) => void running?.child.kill(name),
    async call(method, path, { body, headers = {} } = {}) {
      const response = await fetch(`http://127.0.0.1:${running?.httpPort}/api/v1${path}`, {
        method,
        headers: { authorization: `Bearer ${token}`, ...headers },
        ...(body === undefined ? {} : { body: String(body) }),
        signal: AbortSignal.timeout(10_000),
      });
      const text = await response.text();
      return { status: response.status, headers: response.headers, text, json: JSON.parse(text) };
    },
    [Symbol.asyncDispose]: () => end("SIGKILL"),
  };
}
