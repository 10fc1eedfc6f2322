import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { stringify } from "yaml";

const PROGRAM = fileURLToPath(new URL("../../bin/radferry", import.meta.url));

/** Longest time a verb may take in a test. */
const VERB_TIMEOUT_MS = 120_000;

export type SiteArchive = SiteDimseArchive | SiteHttpArchive;

interface SiteDimseArchive {
  readonly name: string;
  readonly address: string;
  readonly retrieve: "move" | "get";
  readonly availability?: Readonly<Record<string, unknown>>;
  readonly tls?: Readonly<Record<string, unknown>>;
}

interface SiteHttpArchive {
  readonly name: string;
  readonly kind: "dicomweb" | "orthanc" | "rad69" | "xnat-dqr";
  readonly url: string;
  readonly [setting: string]: unknown;
}

export interface SiteOptions {
  readonly archives: readonly SiteArchive[];
  readonly dicomPort: number;
  /** Further settings of the listener. */
  readonly dicom?: Readonly<Record<string, unknown>>;
  readonly aeTitle?: string;
  readonly retry?: {
    readonly attempts: number;
    readonly firstDelaySeconds: number;
    readonly maximumDelaySeconds: number;
  };
  /** Besides the folder destination `research-store`. */
  readonly moreDestinations?: readonly Readonly<Record<string, unknown>>[];
  readonly profile?: "basic" | "research";
  readonly project?: Readonly<Record<string, unknown>>;
  /** Further projects on the same archives and folder, each with a key of its own. */
  readonly moreProjects?: readonly string[];
  readonly staging?: Readonly<Record<string, unknown>>;
  readonly imagingSource?: Readonly<Record<string, unknown>>;
  readonly intake?: Readonly<Record<string, unknown>>;
  readonly http?: Readonly<Record<string, unknown>>;
  readonly notifications?: readonly Readonly<Record<string, unknown>>[];
  /** Where this gateway shares its database with others. */
  readonly shared?: {
    readonly databaseUrl: string;
    readonly node: Readonly<Record<string, unknown>>;
    /** The folder destination; the site's own unless told. */
    readonly delivered?: string;
  };
}

export interface VerbResult {
  readonly exitCode: number | null;
  readonly stdout: string;
  readonly stderr: string;
  /** The one JSON document of `--json`. */
  readonly document: Readonly<Record<string, unknown>>;
}

export interface RunningService extends AsyncDisposable {
  /** What it has written to stderr so far. */
  readonly log: () => string;
  /** SIGKILL, and wait until it is gone. */
  kill(): Promise<void>;
}

/** A configured home with one project, driven through `bin/radferry` like a site's own scripts do. */
export interface Site extends AsyncDisposable {
  readonly folder: string;
  readonly home: string;
  readonly delivered: string;
  write(name: string, content: string | Uint8Array): Promise<string>;
  run(...verb: readonly string[]): Promise<VerbResult>;
  /** Resolves when the service accepts associations. */
  serve(...flags: readonly string[]): Promise<RunningService>;
}

export const PROJECT = "trial";
const DATABASE_URL_FILE = "database-url";

export async function makeSite(options: SiteOptions): Promise<Site> {
  const folder = await mkdtemp(join(tmpdir(), "radferry-site-"));
  const home = join(folder, "home");
  const delivered = options.shared?.delivered ?? join(folder, "delivered");
  const keyFile = join(folder, "project.key");
  const configuration = join(folder, "radferry.yaml");
  await writeFile(keyFile, `${"0123456789abcdef".repeat(4)}\n`, { mode: 0o600 });
  for (const [index, name] of (options.moreProjects ?? []).entries()) {
    await writeFile(join(folder, `${name}.key`), `${String(index).repeat(64)}\n`, { mode: 0o600 });
  }
  if (options.shared !== undefined)
    await writeFile(join(folder, DATABASE_URL_FILE), `${options.shared.databaseUrl}\n`, { mode: 0o600 });
  await writeFile(configuration, stringify(settingsOf(options, { home, delivered, keyFile })));
  const environment = { ...process.env, RADFERRY_CONFIG: configuration };

  return {
    folder,
    home,
    delivered,
    async write(name, content) {
      await writeFile(join(folder, name), content);
      return join(folder, name);
    },
    async run(...verb) {
      const child = spawn(PROGRAM, [...verb, "--json"], { env: environment, cwd: folder, timeout: VERB_TIMEOUT_MS });
      const [stdout, stderr, [exitCode]] = await Promise.all([
        textOf(child.stdout),
        textOf(child.stderr),
        once(child, "close"),
      ]);
      return {
        exitCode,
        stdout,
        stderr,
        get document() {
          return JSON.parse(stdout);
        },
      };
    },
    serve: (...flags) => startService(environment, folder, flags),
    [Symbol.asyncDispose]: () => rm(folder, { recursive: true, force: true }),
  };
}

function settingsOf(
  options: SiteOptions,
  paths: { readonly home: string; readonly delivered: string; readonly keyFile: string },
) {
  return {
    home: paths.home,
    dicom: { aeTitle: options.aeTitle ?? "RADFERRY", host: "127.0.0.1", port: options.dicomPort, ...options.dicom },
    http: { port: 0, ...options.http },
    retry: options.retry ?? { attempts: 10, firstDelaySeconds: 0.2, maximumDelaySeconds: 1 },
    staging: { reserveGigabytes: 0, ...options.staging },
    ...(options.imagingSource === undefined ? {} : { imagingSource: options.imagingSource }),
    ...(options.intake === undefined ? {} : { intake: options.intake }),
    notifications: options.notifications ?? [],
    ...(options.shared === undefined
      ? {}
      : { store: { kind: "postgres", urlFile: DATABASE_URL_FILE }, node: options.shared.node }),
    archives: options.archives.map((archive) => ({ kind: "dimse", ...archive })),
    destinations: [
      { name: "research-store", kind: "folder", path: paths.delivered },
      ...(options.moreDestinations ?? []),
    ],
    projects: [
      {
        name: PROJECT,
        archives: options.archives.map(({ name }) => name),
        destinations: ["research-store", ...(options.moreDestinations ?? []).map(({ name }) => name)],
        profile: options.profile ?? "research",
        keyFile: paths.keyFile,
        ...options.project,
      },
      ...(options.moreProjects ?? []).map((name) => ({
        name,
        archives: options.archives.map((archive) => archive.name),
        destinations: ["research-store"],
        profile: "research",
        keyFile: `${name}.key`,
      })),
    ],
  };
}

async function startService(env: NodeJS.ProcessEnv, cwd: string, flags: readonly string[]): Promise<RunningService> {
  const child = spawn(PROGRAM, ["serve", "--json", ...flags], { env, cwd, stdio: ["ignore", "pipe", "pipe"] });
  let log = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    log += text;
  });
  await readyLine(child, () => log);
  const end = async (signal: NodeJS.Signals): Promise<void> => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    child.kill(signal);
    await once(child, "close");
  };
  return { log: () => log, kill: () => end("SIGKILL"), [Symbol.asyncDispose]: () => end("SIGTERM") };
}

/** `serve` prints one line on stdout once it is ready. */
async function readyLine(child: ChildProcess, log: () => string): Promise<void> {
  const ended = once(child, "close").then(() => {
    throw new Error(`the service ended before it was ready:\n${log()}`);
  });
  if (child.stdout === null) throw new Error("stdout is not piped");
  await Promise.race([once(child.stdout, "data"), ended]);
  ended.catch(() => undefined);
}

async function textOf(stream: NodeJS.ReadableStream): Promise<string> {
  let text = "";
  for await (const chunk of stream) text += chunk;
  return text;
}
