import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { stringify } from "yaml";
import { freePort } from "../test/peers/free-port.ts";
import { practiceStudies } from "../test/peers/practice-studies.ts";
import { scannerDemo } from "./demo-scanner.ts";

/**
 * `npm run demo`: a practice archive, the gateway on its embedded store, a sample cohort with a few bad rows, and the account of it.
 * `npm run demo -- --scanner`: one acquisition of a stand-in for a scanner, from its task to the delivered study.
 * `npm run demo -- --archive AET@host:port` asks a real archive instead, for at most `--studies N` of its studies.
 */
const ROOT = fileURLToPath(new URL("..", import.meta.url));
const PROGRAM = join(ROOT, "bin/radferry");
const FOLDER = join(ROOT, "demo-output");
const PROJECT = "demo";
const AE_TITLE = "RADFERRY";

const { values: options } = parseArgs({
  options: {
    archive: { type: "string" },
    retrieve: { type: "string", default: "move" },
    port: { type: "string", default: "11112" },
    host: { type: "string", default: "0.0.0.0" },
    studies: { type: "string", default: "5" },
    scanner: { type: "boolean", default: false },
  },
});

interface DemoArchive extends AsyncDisposable {
  readonly address: string;
  readonly dicom: { readonly aeTitle: string; readonly host: string; readonly port: number };
  /** The rows of the cohort file, the header first. */
  rows(): Promise<readonly string[]>;
}

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}

async function main(): Promise<number> {
  await rm(FOLDER, { recursive: true, force: true });
  await mkdir(FOLDER, { recursive: true });
  await using archive = options.archive === undefined ? await startPractice() : await realArchive(options.archive);
  const keyFile = join(FOLDER, "demo.key");
  await run(["project", "new-key", keyFile]);
  const configuration = join(FOLDER, "radferry.yaml");
  await writeFile(configuration, stringify(settingsFor(archive, keyFile)));
  const cohortFile = join(FOLDER, "wanted.csv");
  await writeFile(cohortFile, `${(await archive.rows()).join("\n")}\n`);

  say(`\nThe cohort file ${shown(cohortFile)}:\n`);
  say(await readFile(cohortFile, "utf8"));
  await using _service = await startService(configuration);
  say(`The gateway runs (radferry -c ${shown(configuration)} serve), and gets the cohort:\n`);
  const outcome = await run(["-c", configuration, "cohort", "submit", cohortFile, "--project", PROJECT, "--wait"]);
  if (outcome !== 0 && outcome !== 3) return outcome;

  say("\nEvery study, accounted for (radferry study list):\n");
  await run(["-c", configuration, "study", "list"]);
  const exportFile = join(FOLDER, "accounted.csv");
  const [cohort] = JSON.parse(await output(["-c", configuration, "cohort", "list", "--json"]));
  await run(["-c", configuration, "cohort", "export", cohort.cohort, "-o", exportFile]);
  await sayResults(exportFile);
  return 0;
}

function shown(path: string): string {
  return relative(process.cwd(), path);
}

function settingsFor({ address, dicom }: DemoArchive, keyFile: string): unknown {
  return {
    home: join(FOLDER, "home"),
    dicom,
    retry: { attempts: 10, firstDelaySeconds: 1, maximumDelaySeconds: 10 },
    staging: { reserveGigabytes: 1 },
    archives: [{ name: "archive", kind: "dimse", address, retrieve: options.retrieve }],
    destinations: [{ name: "research-store", kind: "folder", path: join(FOLDER, "delivered") }],
    projects: [
      { name: PROJECT, archives: ["archive"], destinations: ["research-store"], profile: "research", keyFile },
    ],
  };
}

/** The practice archive as a process of its own, which knows our listener as a move destination. */
async function startPractice(): Promise<DemoArchive> {
  const port = await freePort();
  const script = join(ROOT, "test/peers/practice-archive-main.ts");
  const child = spawn(process.execPath, [script, "--destination", `${AE_TITLE}@127.0.0.1:${port}`], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const [line] = await once(child.stdout, "data");
  const { address }: { address: string } = JSON.parse(String(line));
  say(`A practice archive listens at ${address}: made-up studies, one of them served incompletely at first.`);
  return {
    address,
    dicom: { aeTitle: AE_TITLE, host: "127.0.0.1", port },
    rows: async () => practiceRows(),
    [Symbol.asyncDispose]: () => end(child),
  };
}

/** By UID, by accession number with and without patient, a study twice, one that no archive has, and rows that are refused. */
function practiceRows(): readonly string[] {
  const rows = practiceStudies().map(({ studyInstanceUid, patientId, accessionNumber }, index) =>
    index % 2 === 0
      ? `subject-${index + 1},${studyInstanceUid},,,`
      : `subject-${index + 1},,${accessionNumber},${patientId},${1 + (index % 5)}`,
  );
  return [
    "my_row,study_instance_uid,accession_number,patient_id,priority",
    ...rows,
    "subject-1-again,1.2.826.0.1.3680043.10.1561.101,,,",
    "subject-9,1.2.826.0.1.3680043.10.1561.999,,,",
    "bad-wildcard,,0000815*,,",
    "bad-empty,,,,",
    "bad-uid,1.2.three,,,",
    "bad-spreadsheet,,8.15E+05,,",
  ];
}

/** A real archive: the first studies it lists, by UID. */
async function realArchive(address: string): Promise<DemoArchive> {
  const rows = async (): Promise<readonly string[]> => {
    const keys = ["-k", "StudyInstanceUID", "--level", "STUDY", "--calling", AE_TITLE, "--max", options.studies];
    const matches: readonly Record<string, { Value?: readonly string[] }>[] = JSON.parse(
      await output(["dicom", "find", address, ...keys, "--json"]),
    );
    return ["study_instance_uid", ...matches.flatMap((match) => match["0020000D"]?.Value ?? [])];
  };
  const dicom = { aeTitle: AE_TITLE, host: options.host, port: Number(options.port) };
  return { address, dicom, rows, async [Symbol.asyncDispose]() {} };
}

/** Ready once it has printed its line; its log goes to a file. */
async function startService(configuration: string): Promise<AsyncDisposable> {
  const child = spawn(PROGRAM, ["-c", configuration, "serve", "--json"], { stdio: ["ignore", "pipe", "pipe"] });
  const log: Buffer[] = [];
  child.stderr.on("data", (chunk: Buffer) => log.push(chunk));
  const ended = once(child, "close").then(() => {
    throw new Error(`the gateway did not start:\n${Buffer.concat(log)}`);
  });
  await Promise.race([once(child.stdout, "data"), ended]);
  ended.catch(() => undefined);
  return {
    async [Symbol.asyncDispose]() {
      await end(child);
      await writeFile(join(FOLDER, "gateway.log"), Buffer.concat(log));
    },
  };
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const closed = once(child, "close");
  child.kill("SIGTERM");
  await closed;
}

/** Runs a verb on this terminal. */
async function run(verb: readonly string[]): Promise<number> {
  const child = spawn(PROGRAM, verb, { stdio: "inherit" });
  const [exitCode] = await once(child, "close");
  return exitCode ?? 1;
}

async function output(verb: readonly string[]): Promise<string> {
  const child = spawn(PROGRAM, verb, { stdio: ["ignore", "pipe", "inherit"] });
  let text = "";
  for await (const chunk of child.stdout) text += chunk;
  return text;
}

async function sayResults(exportFile: string): Promise<void> {
  const delivered = join(FOLDER, "delivered");
  const names = await readdir(delivered, { recursive: true }).catch(() => []);
  const files = names.filter((name) => name.endsWith(".dcm")).sort();
  const report = names.find((name) => name.endsWith("radferry-report.json"));
  say(`\n${files.length} de-identified files are below ${shown(delivered)}, such as`);
  for (const name of files.slice(0, 3)) say(`  ${shown(join(delivered, name))}`);
  if (report !== undefined)
    say(`and beside them a report for each study, such as\n  ${shown(join(delivered, report))}`);
  say(`Your own rows, with what became of each: ${shown(exportFile)}`);
  say(
    `Look into a file: bin/radferry dicom dump FILE; into a study: bin/radferry -c ${shown(FOLDER)}/radferry.yaml study show STUDY\nSee it in a browser: bin/radferry -c ${shown(FOLDER)}/radferry.yaml token create me --role admin, then the same with serve, and http://127.0.0.1:8080`,
  );
}

process.exitCode = options.scanner ? await scannerDemo(FOLDER) : await main();
