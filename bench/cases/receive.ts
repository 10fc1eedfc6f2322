import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { freePort } from "../../test/peers/process.ts";
import type { BenchContext, BenchFactory } from "../context.ts";
import type { Comparison, Contender, Gate } from "../harness.ts";
import { benchScript, RADFERRY, runToEnd, startServer } from "../processes.ts";
import { objectSet, type SetName } from "../sets.ts";

const AE_TITLE = "BENCHSCP";
const OURS = "radferry dicom receive";
const STORESCP = "storescp +B";

/** A program that stores what it gets below `folder`. */
interface Receiver {
  readonly name: string;
  readonly program: string;
  /** Slow ones get the first objects of a set only: the figure is a rate. */
  readonly atMost?: Partial<Readonly<Record<SetName, number>>>;
  args(port: number, folder: string): Promise<readonly string[]>;
}

function receivers({ python }: BenchContext): readonly Receiver[] {
  return [
    {
      name: OURS,
      program: RADFERRY,
      args: async (port, folder) => ["dicom", "receive", "--port", `${port}`, "--aet", AE_TITLE, "--out", folder],
    },
    {
      name: STORESCP,
      program: "storescp",
      args: async (port, folder) => ["-aet", AE_TITLE, "+B", "-od", folder, `${port}`],
    },
    {
      name: "storescp +B, PDUs of 128 KiB",
      program: "storescp",
      args: async (port, folder) => ["-aet", AE_TITLE, "+B", "-pdu", "131072", "-od", folder, `${port}`],
    },
    {
      name: "Orthanc",
      program: "Orthanc",
      atMost: { a: 100, b: 3, c: 500 },
      args: orthancArgs,
    },
    {
      name: "pynetdicom storescp",
      program: python,
      atMost: { a: 100, b: 3, c: 500 },
      args: async (port, folder) => ["-m", "pynetdicom", "storescp", `${port}`, "-q", "-aet", AE_TITLE, "-od", folder],
    },
  ];
}

async function orthancArgs(port: number, folder: string): Promise<readonly string[]> {
  const configuration = join(folder, "orthanc.json");
  const settings = {
    DicomAet: AE_TITLE,
    DicomPort: port,
    DicomAlwaysAllowStore: true,
    HttpServerEnabled: false,
    StorageDirectory: join(folder, "storage"),
    Plugins: [],
  };
  await writeFile(configuration, JSON.stringify(settings));
  return [configuration];
}

const SPEED: Partial<Readonly<Record<SetName, number>>> = { a: 0.95, b: 0.85, c: 0.95 };
const RSS_AT_MOST_BYTES = 200e6;

/**
 * Each receiver is fed over one association by the same replaying sender, whose own cost is next to nothing.
 * The time runs from the first C-STORE request to the last answer: what a receiver promises with its answer is in it.
 */
export const receive: BenchFactory = async (context) => ({
  comparisons: [...context.sets, "huge" as const].map((name) => comparisonOf(name, context)),
  async [Symbol.asyncDispose]() {},
});

function comparisonOf(name: SetName, context: BenchContext): Comparison {
  const { about, objects, totalBytes } = objectSet(name);
  const bound = SPEED[name];
  const gates: readonly Gate[] =
    bound === undefined ? [] : [{ contender: OURS, peer: STORESCP, ratio: { atLeast: bound } }];
  const bytesEach = totalBytes / objects.length;
  return {
    title: `receive ${about}`,
    unit: name === "c" ? "objects/s" : "MB/s",
    contenders: receivers(context)
      .filter((receiver) => name !== "huge" || receiver.atMost === undefined)
      .map((receiver) => contenderOf(receiver, name, objects.length, name === "c" ? 1 : bytesEach / 1e6)),
    gates,
    memoryGates: [{ contender: OURS, rssAtMostBytes: RSS_AT_MOST_BYTES }],
  };
}

function contenderOf(receiver: Receiver, set: SetName, objects: number, figureEach: number): Contender {
  const { name, program, atMost = {} } = receiver;
  const sent = Math.min(objects, atMost[set] ?? objects);
  return {
    name: sent < objects ? `${name} (first ${sent})` : name,
    program,
    async run(folder) {
      await mkdir(folder, { recursive: true });
      const port = await freePort();
      await using server = await startServer(program, await receiver.args(port, folder), port, folder);
      const [node, script] = benchScript("replay-sender-main.ts");
      const { stdout } = await runToEnd(node, [script, `${port}`, AE_TITLE, set, `${sent}`], folder);
      const { seconds }: { readonly seconds: number } = JSON.parse(stdout);
      return { figure: (sent * figureEach) / seconds, peakRssBytes: server.peakRssBytes() };
    },
  };
}
