import { mkdir } from "node:fs/promises";
import { setTimeout as delay } from "node:timers/promises";
import { freePort } from "../../test/peers/free-port.ts";
import { type BenchContext, type BenchFactory, setFolder } from "../context.ts";
import type { Comparison, Contender } from "../harness.ts";
import { benchScript, RADFERRY, type RunningServer, runToEnd, startServer } from "../processes.ts";
import { objectSet, type SetName } from "../sets.ts";

const AE_TITLE = "BENCHSCP";
const OURS = "radferry dicom store";
const DCMSEND = "dcmsend";

interface Sender {
  readonly name: string;
  readonly program: string;
  args(port: number, folder: string): readonly string[];
}

const SENDERS: readonly Sender[] = [
  {
    name: OURS,
    program: RADFERRY,
    args: (port, folder) => ["dicom", "store", `${AE_TITLE}@127.0.0.1:${port}`, folder],
  },
  {
    name: DCMSEND,
    program: "dcmsend",
    args: (port, folder) => ["-aec", AE_TITLE, "+sd", "127.0.0.1", `${port}`, folder],
  },
  {
    name: "storescu",
    program: "storescu",
    args: (port, folder) => ["-aec", AE_TITLE, "-xe", "+sd", "127.0.0.1", `${port}`, folder],
  },
];

const BOUNDS: Readonly<Record<SetName, number>> = { a: 1, b: 0.9, c: 1, huge: 0, many: 1, cohort: 1, long: 1 };

const ASSOCIATION = "association time";
const PROCESS = "whole process";

/**
 * Each sends a folder to the same sink, which drops what it gets and answers at once. The association's time decides: from the request to
 * the release, as the sink sees it. That of the whole process stands beside it: there Node's start-up counts, and reading the headers first.
 */
export const send: BenchFactory = async (context) => {
  for (const name of context.sets) await context.files(name);
  return {
    comparisons: context.sets.map((name) => comparisonOf(name, context)),
    async [Symbol.asyncDispose]() {},
  };
};

function comparisonOf(name: SetName, context: BenchContext): Comparison {
  const set = objectSet(name);
  const unit = name === "c" ? "objects/s" : "MB/s";
  const work = name === "c" ? set.objects.length : set.totalBytes / 1e6;
  return {
    title: `send ${set.about}`,
    figures: { [ASSOCIATION]: unit, [PROCESS]: unit },
    contenders: SENDERS.map((sender) => contenderOf(sender, name, set.objects.length, work, context)),
    gates: [ASSOCIATION, PROCESS].map((figure) => ({
      figure,
      contender: OURS,
      peer: DCMSEND,
      ratio: { atLeast: BOUNDS[name] },
    })),
    memoryGates: [{ contender: OURS, rssAtMostBytes: 200e6 }],
  };
}

function contenderOf(
  { name, program, args }: Sender,
  set: SetName,
  objects: number,
  work: number,
  context: BenchContext,
): Contender {
  return {
    name,
    program,
    async run(folder) {
      await mkdir(folder, { recursive: true });
      const port = await freePort();
      const [node, script] = benchScript("null-sink-main.ts");
      await using sink = await startServer(node, [script, `${port}`], port, folder);
      const sent = await runToEnd(program, args(port, setFolder(context.folder, set)), folder);
      const seconds = await associationSeconds(sink, objects);
      return {
        figures: { [ASSOCIATION]: work / seconds, [PROCESS]: work / sent.seconds },
        peakRssBytes: sent.peakRssBytes,
      };
    },
  };
}

interface Association {
  readonly startedAtMs: number;
  readonly endedAtMs: number;
  readonly instances: number;
}

const REPORT_TIMEOUT_MS = 5_000;
const LOOK_EVERY_MS = 10;

/** From the first request to the last release. @throws Error when not everything came */
async function associationSeconds(sink: RunningServer, objects: number): Promise<number> {
  for (let waitedMs = 0; waitedMs < REPORT_TIMEOUT_MS; waitedMs += LOOK_EVERY_MS) {
    const lines = sink.stdout().split("\n").slice(0, -1);
    const associations = lines.map((line): Association => JSON.parse(line));
    const came = associations.reduce((sum, { instances }) => sum + instances, 0);
    if (came === objects) {
      const startedAtMs = Math.min(...associations.map((one) => one.startedAtMs));
      return (Math.max(...associations.map((one) => one.endedAtMs)) - startedAtMs) / 1_000;
    }
    await delay(LOOK_EVERY_MS);
  }
  throw new Error(`not all of ${objects} instances came`);
}
