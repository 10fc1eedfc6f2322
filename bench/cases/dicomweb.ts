import { createReadStream, createWriteStream } from "node:fs";
import { mkdir, readFile, stat, writeFile } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { pipeline } from "node:stream/promises";
import { type OutgoingPart, writeMultipart } from "../../src/network/multipart/writer.ts";
import { freePort } from "../../test/peers/free-port.ts";
import { type OrthancServer, startOrthanc } from "../../test/peers/orthanc.ts";
import { findPeer } from "../../test/peers/require-peer.ts";
import type { BenchContext, BenchFactory } from "../context.ts";
import type { Comparison, Contender, Gate } from "../harness.ts";
import { benchPeer, benchScript, RADFERRY, runToEnd, SETTINGS_OF_VERBS, startServer } from "../processes.ts";
import { readyMemory } from "../ready-memory.ts";
import { objectSet } from "../sets.ts";
import { writeSparseObject } from "../sparse-objects.ts";

const LIBRARY = "radferry (library)";
const OURS = "radferry, whole process";
const CLIENT = "dicomweb-client";
const CURL = "curl, nothing parsed, whole process";
const RATE = "rate";
const UNITS = { [RATE]: "MB/s" };

const GIANT_BYTES = 2 ** 31;
const RSS_AT_MOST_BYTES = 128e6;
const MEMORY_GATES = [LIBRARY, OURS].map((contender) => ({ contender, rssAtMostBytes: RSS_AT_MOST_BYTES }));
const BOUNDARY = "MIMEBoundary_0123456789abcdef0123456789abcdef";

/** One study in files, and the list of them that the server of this bench reads. */
interface Study {
  readonly studyInstanceUid: string;
  readonly files: readonly string[];
  readonly totalBytes: number;
  readonly list: string;
}

async function setA(context: BenchContext): Promise<Study> {
  const [first] = objectSet("a", 1).objects;
  return await studyOf(context, "a", first?.studyInstanceUid ?? "", await context.files("a"));
}

async function giant(context: BenchContext): Promise<Study> {
  const [like] = objectSet("a", 1).objects;
  const path = join(context.folder, "giant", `${like?.sopInstanceUid ?? ""}.dcm`);
  await mkdir(dirname(path), { recursive: true });
  await writeSparseObject(path, GIANT_BYTES);
  return await studyOf(context, "giant", like?.studyInstanceUid ?? "", [path]);
}

async function studyOf(
  { folder }: BenchContext,
  name: string,
  studyInstanceUid: string,
  files: readonly string[],
): Promise<Study> {
  const list = join(folder, `${name}.tsv`);
  await writeFile(list, files.map((path) => `${basename(path, ".dcm")}\t${path}`).join("\n"));
  let totalBytes = 0;
  for (const path of files) totalBytes += (await stat(path)).size;
  return { studyInstanceUid, files, totalBytes, list };
}

/** Runs a program against a service, as a whole or by the seconds it prints. */
interface Client {
  readonly name: string;
  readonly program: string;
  readonly args: (url: string, folder: string) => readonly string[];
  readonly isTimedByItself?: boolean;
}

/** Where the service is: one that runs already, or one of our own for each run. */
type Service = { readonly url: string } | { readonly list: string };

function contenderOf({ name, program, args, isTimedByItself }: Client, service: Service, study: Study): Contender {
  const timed = async (url: string, cwd: string) => {
    const folder = join(cwd, "out");
    await readyMemory(folder, study.totalBytes);
    const { seconds, stdout, peakRssBytes } = await runToEnd(program, args(url, folder), cwd);
    const taken = isTimedByItself === true ? secondsOf(stdout, study.files.length) : seconds;
    return { figures: { [RATE]: study.totalBytes / 1e6 / taken }, peakRssBytes };
  };
  return {
    name,
    program,
    async run(cwd) {
      await mkdir(cwd, { recursive: true });
      if ("url" in service) return await timed(service.url, cwd);
      const port = await freePort();
      const [node, script] = benchScript("dicomweb-server-main.ts");
      await using _server = await startServer(node, [script, `${port}`, service.list], port, cwd);
      return await timed(`http://127.0.0.1:${port}/dicom-web`, cwd);
    },
  };
}

/** @throws Error when not everything came */
function secondsOf(stdout: string, expected: number): number {
  const { seconds, came }: { readonly seconds: number; readonly came: number } = JSON.parse(stdout);
  if (came !== expected) throw new Error(`${came} instances of ${expected}`);
  return seconds;
}

function retrieving({ python }: BenchContext, { studyInstanceUid }: Study): readonly Client[] {
  const [node, script] = benchScript("wado-main.ts");
  const accept = 'Accept: multipart/related; type="application/dicom"; transfer-syntax=*';
  return [
    {
      name: LIBRARY,
      // As the program starts itself for these verbs.
      program: "env",
      args: (url, folder) => [
        ...[...SETTINGS_OF_VERBS, node, "--max-semi-space-size=1"],
        ...[script, url, studyInstanceUid, folder],
      ],
      isTimedByItself: true,
    },
    {
      name: OURS,
      program: RADFERRY,
      args: (url, folder) => ["dicom", "wado", url, "--study", studyInstanceUid, "--out", folder],
    },
    {
      name: CURL,
      program: "curl",
      args: (url, folder) => [
        ...["--silent", "--fail", "--header", accept],
        ...["--output", join(folder, "answer"), `${url}/studies/${studyInstanceUid}`],
      ],
    },
    {
      name: CLIENT,
      program: python,
      args: (url, folder) => [benchPeer("dicomweb.py"), "retrieve", url, studyInstanceUid, folder],
      isTimedByItself: true,
    },
  ];
}

function storing({ python }: BenchContext, { studyInstanceUid, files }: Study, body: string): readonly Client[] {
  const [file = ""] = files;
  const type = `Content-Type: multipart/related; type="application/dicom"; boundary=${BOUNDARY}`;
  return [
    { name: OURS, program: RADFERRY, args: (url) => ["dicom", "stow", url, dirname(file)] },
    {
      name: CURL,
      program: "curl",
      args: (url, folder) => [
        ...["--silent", "--fail", "--request", "POST", "--header", type, "--header", "Expect:"],
        ...["--upload-file", body, "--output", join(folder, "answer"), `${url}/studies`],
      ],
    },
    {
      name: CLIENT,
      program: python,
      args: (url) => [benchPeer("dicomweb.py"), "store", url, studyInstanceUid, ...files],
      isTimedByItself: true,
    },
  ];
}

/** The body of the one request that curl sends. */
async function writeBody({ folder }: BenchContext, { files }: Study, name: string): Promise<string> {
  const path = join(folder, name);
  const parts = function* (): Generator<OutgoingPart> {
    for (const file of files) {
      yield {
        headers: [["Content-Type", "application/dicom"]],
        body: createReadStream(file, { highWaterMark: 1024 * 1024 }),
      };
    }
  };
  await pipeline(writeMultipart(parts(), { boundary: BOUNDARY }), createWriteStream(path));
  return path;
}

function startWebOrthanc(): Promise<OrthancServer> | undefined {
  const plugin = findPeer("libOrthancDicomWeb.so");
  if (plugin === undefined || findPeer("Orthanc") === undefined) return undefined;
  const configuration = { Plugins: [plugin], DicomWeb: { Enable: true }, OverwriteInstances: true };
  return startOrthanc({ aeTitle: "ORTHANC", configuration });
}

async function fill({ httpPort }: OrthancServer, files: readonly string[]): Promise<void> {
  for (const path of files) {
    const body = new Uint8Array(await readFile(path));
    const answer = await fetch(`http://127.0.0.1:${httpPort}/instances`, { method: "POST", body });
    if (!answer.ok) throw new Error(`Orthanc answered ${answer.status}`);
  }
}

/** Comparisons with a server of our own, which is not what limits, and with a real one. */
function comparisonsOf(
  title: string,
  work: {
    readonly study: Study;
    readonly giant: Study;
    readonly orthanc: OrthancServer | undefined;
    readonly gates: readonly Gate[];
    readonly clients: readonly Client[];
    readonly giantClients: readonly Client[];
  },
): readonly Comparison[] {
  const { study, orthanc, gates, clients } = work;
  const comparison = (about: string, service: Service, of: Study, who: readonly Client[]): Comparison => ({
    title: `${title}: ${about}`,
    figures: UNITS,
    contenders: who.map((client) => contenderOf(client, service, of)),
    gates: [],
    memoryGates: MEMORY_GATES,
  });
  return [
    { ...comparison("500 CT slices of 512 KiB", study, study, clients), gates },
    {
      ...comparison("1 object of 2 GiB", work.giant, work.giant, work.giantClients),
      isRunOnce: true,
    },
    ...(orthanc === undefined
      ? []
      : [
          comparison(
            "500 CT slices of 512 KiB, Orthanc",
            { url: `http://127.0.0.1:${orthanc.httpPort}/dicom-web` },
            study,
            clients,
          ),
        ]),
  ];
}

/** WADO-RS of a study to files. */
export const wado: BenchFactory = async (context) => {
  const [study, large, orthanc] = [await setA(context), await giant(context), await startWebOrthanc()];
  if (orthanc !== undefined) await fill(orthanc, study.files);
  const gate: Gate = { figure: RATE, contender: LIBRARY, peer: CURL, ratio: { atLeast: 0.45 } };
  return {
    comparisons: comparisonsOf("WADO-RS to disk", {
      ...{ study, giant: large, orthanc, gates: [gate] },
      clients: retrieving(context, study),
      giantClients: retrieving(context, large).filter(({ name }) => name !== CLIENT),
    }),
    async [Symbol.asyncDispose]() {
      await orthanc?.[Symbol.asyncDispose]();
    },
  };
};

/** STOW-RS of a study from files. */
export const stow: BenchFactory = async (context) => {
  const [study, large, orthanc] = [await setA(context), await giant(context), await startWebOrthanc()];
  const gate: Gate = { figure: RATE, contender: OURS, peer: CURL, ratio: { atLeast: 0.45 } };
  const [body, largeBody] = [await writeBody(context, study, "body"), await writeBody(context, large, "giant-body")];
  return {
    comparisons: comparisonsOf("STOW-RS from disk", {
      ...{ study, giant: large, orthanc, gates: [gate] },
      clients: storing(context, study, body),
      giantClients: storing(context, large, largeBody).filter(({ name }) => name !== CLIENT),
    }),
    async [Symbol.asyncDispose]() {
      await orthanc?.[Symbol.asyncDispose]();
    },
  };
};
