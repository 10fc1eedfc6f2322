import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { EXPLICIT_VR_LITTLE_ENDIAN } from "../../src/dicom/dictionary/transfer-syntaxes.ts";
import { createRequest, type InstanceReference } from "../../src/network/ihe/request.ts";
import { systemRandom } from "../../src/units/random.ts";
import { DICOMTROLLEY_SCRIPT } from "../../test/peers/dicomtrolley.ts";
import { freePort } from "../../test/peers/free-port.ts";
import { sampleCt } from "../../test/peers/sample-objects.ts";
import type { BenchContext, BenchFactory } from "../context.ts";
import type { Comparison, Contender } from "../harness.ts";
import { benchScript, RADFERRY, runToEnd, SETTINGS_OF_VERBS, startServer } from "../processes.ts";
import { readyMemory } from "../ready-memory.ts";
import { objectSet, type SetName } from "../sets.ts";

const OURS = "radferry (library)";
const OURS_WAITING = "radferry (library), as a server writes files";
const OURS_PARALLEL = "radferry (library), 4 requests";
const VERB = "radferry dicom rad69, whole process";
const TROLLEY = "dicomtrolley";
const TROLLEY_ASYNC = "dicomtrolley, 4 workers";
const CURL = "curl, nothing parsed, whole process";
const RATE = "rate";

const SPEED: Partial<Readonly<Record<SetName, number>>> = { a: 2.1, b: 3.8, c: 4 };
const RSS_AT_MOST_BYTES = 128e6;
const GIANT_BYTES = 2 ** 31;
/** What an archive may give to each connection. */
const LIMITED_BYTES_PER_SECOND = 40e6;

/** What is retrieved, and how a rate is made of it. */
interface Work {
  readonly set: SetName | "giant";
  readonly about: string;
  readonly references: readonly InstanceReference[];
  /** Megabytes, or objects, of one instance. */
  readonly unitsEach: number;
  readonly unit: string;
  readonly totalBytes: number;
  readonly bytesPerSecond?: number;
}

function workOf(set: SetName): Work {
  const { about, objects, totalBytes } = objectSet(set);
  const references = objects.map(({ studyInstanceUid, sopInstanceUid }) => ({
    studyInstanceUid,
    seriesInstanceUid: `${studyInstanceUid}.1`,
    sopInstanceUid,
  }));
  const isCounted = set === "c";
  const unitsEach = isCounted ? 1 : totalBytes / objects.length / 1e6;
  return { set, about, references, unitsEach, unit: isCounted ? "objects/s" : "MB/s", totalBytes };
}

/** The program, once its request is laid out; it prints `seconds` and what came, or is timed as a whole. */
interface Client {
  readonly name: string;
  readonly program: string;
  command(call: {
    readonly url: string;
    readonly folder: string;
    readonly list: string;
    readonly request: string;
  }): readonly string[];
  readonly isTimedAsWhole?: boolean;
}

function clients({ python }: BenchContext): Readonly<Record<string, Client>> {
  const [node, script] = benchScript("rad69-main.ts");
  const library = (name: string, ...more: readonly string[]): Client => ({
    name,
    // As bin/radferry starts the verb.
    program: "env",
    command: ({ url, folder, list }) => [
      ...[...SETTINGS_OF_VERBS, node, "--max-semi-space-size=1"],
      ...[script, url, folder, list, ...more],
    ],
  });
  const trolley = (name: string, how: string): Client => ({
    name,
    program: python,
    command: ({ url, folder, list }) => [DICOMTROLLEY_SCRIPT, url, folder, how, `@${list}`],
  });
  return {
    [OURS]: library(OURS, "1"),
    [OURS_WAITING]: library(OURS_WAITING, "1", "waiting"),
    [OURS_PARALLEL]: library(OURS_PARALLEL, "4"),
    [VERB]: {
      name: VERB,
      program: RADFERRY,
      command: ({ url, folder, list }) => ["dicom", "rad69", url, "--single", "--instances", list, "--out", folder],
      isTimedAsWhole: true,
    },
    [TROLLEY]: trolley(TROLLEY, "single"),
    [TROLLEY_ASYNC]: trolley(TROLLEY_ASYNC, "async"),
    [CURL]: {
      name: CURL,
      program: "curl",
      command: ({ url, folder, request }) => [
        ...["--silent", "--fail", "--header", "Content-Type: application/soap+xml"],
        ...["--data-binary", `@${request}`, "--output", join(folder, "answer"), url],
      ],
      isTimedAsWhole: true,
    },
  };
}

function contenderOf({ name, program, command, isTimedAsWhole }: Client, work: Work): Contender {
  return {
    name,
    program,
    async run(cwd) {
      const folder = join(cwd, "out");
      await mkdir(cwd, { recursive: true });
      const list = join(cwd, "list.tsv");
      const request = join(cwd, "request.xml");
      const port = await freePort();
      const url = `http://127.0.0.1:${port}/rids`;
      const lines = work.references.map((one) =>
        [one.studyInstanceUid, one.seriesInstanceUid, one.sopInstanceUid].join("\t"),
      );
      await writeFile(list, lines.join("\n"));
      const options = { to: url, repositoryUniqueId: "1.2", transferSyntaxUids: [EXPLICIT_VR_LITTLE_ENDIAN] };
      await writeFile(request, createRequest(work.references, { ...options, encoding: "plain" }, systemRandom).body);
      const [node, script] = benchScript("rad69-server-main.ts");
      const args = [script, `${port}`, work.set, `${work.bytesPerSecond ?? ""}`];
      await using _server = await startServer(node, args, port, cwd);
      await readyMemory(folder, work.totalBytes);
      const finished = await runToEnd(program, command({ url, folder, list, request }), cwd);
      const seconds = isTimedAsWhole === true ? finished.seconds : secondsOf(finished.stdout, work.references.length);
      return {
        figures: { [RATE]: (work.references.length * work.unitsEach) / seconds },
        peakRssBytes: finished.peakRssBytes,
      };
    },
  };
}

/** @throws Error when not everything came */
function secondsOf(stdout: string, expected: number): number {
  const { seconds, came }: { readonly seconds: number; readonly came: number | readonly string[] } = JSON.parse(stdout);
  const count = typeof came === "number" ? came : came.length;
  if (count !== expected) throw new Error(`${count} instances of ${expected}`);
  return seconds;
}

/** RAD-69 from a source that answers from memory in chunks of 16 KiB, to files; libraries are timed from the first call to the last file. */
export const rad69: BenchFactory = async (context) => {
  const known = clients(context);
  const comparison = (
    title: string,
    work: Work,
    names: readonly string[],
    more: Partial<Comparison> = {},
  ): Comparison => ({
    title: `${title}: ${work.about}`,
    figures: { [RATE]: work.unit },
    contenders: names.flatMap((name) => (known[name] === undefined ? [] : [contenderOf(known[name], work)])),
    gates: [],
    memoryGates: names
      .filter((name) => name.startsWith("radferry"))
      .map((contender) => ({ contender, rssAtMostBytes: RSS_AT_MOST_BYTES })),
    ...more,
  });
  const { dataSet: _, ...giant } = sampleCt(1, 1, 1);
  const giantWork: Work = {
    set: "giant",
    about: "1 object of 2 GiB",
    references: [giant],
    unitsEach: GIANT_BYTES / 1e6,
    unit: "MB/s",
    totalBytes: GIANT_BYTES,
  };
  const names = [OURS, OURS_WAITING, OURS_PARALLEL, VERB, TROLLEY, TROLLEY_ASYNC, CURL];
  return {
    comparisons: [
      ...context.sets.map((set) => {
        const bound = SPEED[set];
        const gate = (contender: string) => ({
          figure: RATE,
          contender,
          peer: TROLLEY,
          ratio: { atLeast: bound ?? 1 },
        });
        return comparison("RAD-69 to disk", workOf(set), names, bound === undefined ? {} : { gates: [gate(OURS)] });
      }),
      comparison("RAD-69 to disk", giantWork, [OURS, OURS_WAITING, VERB, CURL], { isRunOnce: true }),
      comparison(
        "RAD-69 to disk, 40 MB/s for each connection",
        { ...workOf("a"), bytesPerSecond: LIMITED_BYTES_PER_SECOND },
        [OURS, OURS_PARALLEL, TROLLEY, TROLLEY_ASYNC],
        {
          gates: [{ figure: RATE, contender: OURS_PARALLEL, peer: TROLLEY, ratio: { atLeast: 2.5 } }],
        },
      ),
    ],
    async [Symbol.asyncDispose]() {},
  };
};
