import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, readdir, rm, writeFile } from "node:fs/promises";
import { join, relative } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { stringify } from "yaml";
import { freePort } from "../test/peers/free-port.ts";
import { practiceStudies } from "../test/peers/practice-studies.ts";

const ROOT = fileURLToPath(new URL("..", import.meta.url));
const PROGRAM = join(ROOT, "bin/radferry");
const PROJECT = "demo";
const WAIT_MS = 60_000;

const PULSEQ = `# Pulseq sequence file
[VERSION]
major 1
minor 4
revision 0
`;

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}

/** `npm run demo -- --scanner`: a stand-in for a scanner takes a task, and what it sends is delivered to a project. */
export async function scannerDemo(folder: string): Promise<number> {
  await rm(folder, { recursive: true, force: true });
  await mkdir(folder, { recursive: true });
  const shown = (path: string): string => relative(process.cwd(), path);
  const lake = join(folder, "lake");
  const environment = { RADFERRY_HOME: join(folder, "scanner-home"), DATA_LAKE_DIRECTORY: lake, LOG_LEVEL: "error" };
  const verb = (...args: readonly string[]) => output(args, environment);
  const port = await freePort();
  await using _face = start(["compat", "scanhub", "--host", "127.0.0.1", "--port", `${port}`], environment);
  const sequenceFile = join(folder, "gre.seq");
  await writeFile(sequenceFile, PULSEQ);
  await takesConnections(port);

  say(
    `Scanners are served at ws://127.0.0.1:${port}/api/v1/device/ws (radferry compat scanhub). One is registered, with a sequence:\n`,
  );
  const sequence = (await verb("scanner", "sequence", "add", sequenceFile)).trim();
  const credentials = join(folder, "device_credentials.json");
  say((await verb("scanner", "register", "MR3T", "--credentials", credentials)).trim());
  const task = (await verb("scanner", "task", "create", "--sequence", sequence, "--name", "demo scan")).trim();
  say(`task ${task} waits for its scanner\n`);

  const scan = join(folder, "scan.dcm");
  const [study] = practiceStudies();
  const [instance] = study?.instances ?? [];
  if (instance === undefined) throw new Error("there is no practice study");
  await writeFile(scan, instance.file);
  say("The stand-in takes it, reports progress and sends a DICOM file (radferry scanner simulate):\n");
  await run(
    [
      "scanner",
      "simulate",
      "--credentials",
      credentials,
      "--url",
      `ws://127.0.0.1:${port}/api/v1/device/ws`,
      "--file",
      scan,
    ],
    environment,
  );
  say("\nThe task, its attempt and its result (radferry scanner task show):\n");
  await run(["scanner", "task", "show", task], environment);
  const [result] = JSON.parse(await verb("scanner", "result", "list", "--task", task, "--json"));
  await run(["scanner", "result", "verify", result.id], environment);

  const configuration = await configure(folder, lake);
  await using _service = start(["-c", configuration, "serve"], environment);
  say(
    `\nThe data lake is an archive of kind folder in ${shown(configuration)}; the result becomes a study of the project:\n`,
  );
  await run(["-c", configuration, "scanner", "result", "submit", result.id, "--project", PROJECT], environment);
  const isDone = await settled(configuration, environment);
  await run(["-c", configuration, "study", "list"], environment);
  const files = await readdir(join(folder, "delivered"), { recursive: true }).catch(() => []);
  for (const name of files.filter((each) => each.endsWith(".dcm")))
    say(`\nde-identified and delivered: ${shown(join(folder, "delivered", name))}`);
  return isDone ? 0 : 1;
}

async function configure(folder: string, lake: string): Promise<string> {
  const keyFile = join(folder, "demo.key");
  await output(["project", "new-key", keyFile], {});
  const configuration = join(folder, "radferry.yaml");
  const settings = {
    home: join(folder, "home"),
    dicom: { aeTitle: "RADFERRY", host: "127.0.0.1", port: await freePort() },
    staging: { reserveGigabytes: 1 },
    archives: [{ name: "scanners", kind: "folder", path: lake }],
    destinations: [{ name: "research-store", kind: "folder", path: join(folder, "delivered") }],
    projects: [
      { name: PROJECT, archives: ["scanners"], destinations: ["research-store"], profile: "research", keyFile },
    ],
  };
  await writeFile(configuration, stringify(settings));
  return configuration;
}

async function settled(configuration: string, environment: NodeJS.ProcessEnv): Promise<boolean> {
  const untilMs = performance.now() + WAIT_MS;
  while (performance.now() < untilMs) {
    const studies: readonly { readonly state: string }[] = JSON.parse(
      await output(["-c", configuration, "study", "list", "--json"], environment),
    );
    if (studies.length > 0 && studies.every(({ state }) => state === "delivered")) return true;
    await delay(500);
  }
  return false;
}

async function takesConnections(port: number): Promise<void> {
  const untilMs = performance.now() + WAIT_MS;
  while (performance.now() < untilMs) {
    const answer = await fetch(`http://127.0.0.1:${port}/api/v1/exam/health/readiness`).catch(() => undefined);
    if (answer?.ok === true) return;
    await delay(100);
  }
  throw new Error("the scanners' face did not start");
}

function start(args: readonly string[], environment: NodeJS.ProcessEnv): AsyncDisposable {
  const child = spawn(PROGRAM, args, {
    stdio: ["ignore", "ignore", "ignore"],
    env: { ...process.env, ...environment },
  });
  return { [Symbol.asyncDispose]: () => end(child) };
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const closed = once(child, "close");
  child.kill("SIGTERM");
  await closed;
}

/** Runs a verb on this terminal. */
async function run(args: readonly string[], environment: NodeJS.ProcessEnv): Promise<void> {
  const child = spawn(PROGRAM, args, { stdio: "inherit", env: { ...process.env, ...environment } });
  const [exitCode] = await once(child, "close");
  if (exitCode !== 0) throw new Error(`radferry ${args.join(" ")} ended with ${exitCode}`);
}

async function output(args: readonly string[], environment: NodeJS.ProcessEnv): Promise<string> {
  const child = spawn(PROGRAM, args, { stdio: ["ignore", "pipe", "ignore"], env: { ...process.env, ...environment } });
  let text = "";
  for await (const chunk of child.stdout) text += chunk;
  return text;
}
