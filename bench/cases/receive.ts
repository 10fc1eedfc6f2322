import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { freePort } from "../../test/peers/free-port.ts";
import { type BenchContext, type BenchFactory, setFolder } from "../context.ts";
import type { Comparison, Contender } from "../harness.ts";
import { benchScript, RADFERRY, runToEnd, startServer } from "../processes.ts";
import { objectSet, type SetName } from "../sets.ts";

const AE_TITLE = "BENCHSCP";
const OURS = "radferry dicom receive";
/** storescp leaves syncing to the system: so does this, until the association has ended. */
const OURS_LIKE_STORESCP = "radferry dicom receive --sync association";
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
      name: OURS_LIKE_STORESCP,
      program: RADFERRY,
      args: async (port, folder) => [
        ...["dicom", "receive", "--port", `${port}`, "--aet", AE_TITLE, "--out", folder],
        ...["--sync", "association"],
      ],
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

/** How a set gets to a receiver; the same way to each of them. */
interface Feeder {
  readonly title: string;
  /** Seconds from the first request to the last answer. */
  feed(port: number, set: SetName, atMost: number, cwd: string): Promise<number>;
}

/** The time of the whole process: what anyone can repeat. */
function dcmsendFeeder(context: BenchContext): Feeder {
  return {
    title: "sent by dcmsend",
    async feed(port, set, atMost, cwd) {
      const files = await context.files(set);
      const folder = ["+sd", "127.0.0.1", `${port}`, setFolder(context.folder, set)];
      const chosen = atMost < files.length ? ["127.0.0.1", `${port}`, ...files.slice(0, atMost)] : folder;
      const { seconds } = await runToEnd("dcmsend", ["-aec", AE_TITLE, ...chosen], cwd);
      return seconds;
    },
  };
}

/** Costs next to nothing: the receiver alone decides. */
const REPLAY: Feeder = {
  title: "replayed",
  async feed(port, set, atMost, cwd) {
    const [node, script] = benchScript("replay-sender-main.ts");
    const { stdout } = await runToEnd(node, [script, `${port}`, AE_TITLE, set, `${atMost}`], cwd);
    const { seconds }: { readonly seconds: number } = JSON.parse(stdout);
    return seconds;
  },
};

const RATE = "rate";
const SPEED: Partial<Readonly<Record<SetName, number>>> = { a: 0.95, b: 0.85, c: 0.95 };
const RSS_AT_MOST_BYTES = 200e6;

/** Who answers when it has synced and who leaves that to the system, side by side; the gates compare like with like first. */
export const receive: BenchFactory = async (context) => {
  const dcmsend = dcmsendFeeder(context);
  for (const name of context.sets) await context.files(name);
  return {
    comparisons: [
      ...context.sets.map((name) => comparisonOf(name, dcmsend, receivers(context))),
      ...context.sets.map((name) => comparisonOf(name, REPLAY, receivers(context).filter(isQuick))),
      comparisonOf("huge", REPLAY, receivers(context).filter(isQuick)),
    ],
    async [Symbol.asyncDispose]() {},
  };
};

function isQuick({ atMost }: Receiver): boolean {
  return atMost === undefined;
}

function comparisonOf(name: SetName, feeder: Feeder, contenders: readonly Receiver[]): Comparison {
  const { about, objects, totalBytes } = objectSet(name);
  const bound = SPEED[name];
  const work = name === "c" ? 1 : totalBytes / objects.length / 1e6;
  return {
    title: `receive ${about}, ${feeder.title}`,
    figures: { [RATE]: name === "c" ? "objects/s" : "MB/s" },
    contenders: contenders.map((receiver) => contenderOf(receiver, feeder, name, objects.length, work)),
    gates:
      bound === undefined
        ? []
        : [OURS_LIKE_STORESCP, OURS].map((contender) => ({
            figure: RATE,
            contender,
            peer: STORESCP,
            ratio: { atLeast: bound },
          })),
    memoryGates: [OURS, OURS_LIKE_STORESCP].map((contender) => ({ contender, rssAtMostBytes: RSS_AT_MOST_BYTES })),
  };
}

function contenderOf(receiver: Receiver, feeder: Feeder, set: SetName, objects: number, work: number): Contender {
  const { name, program, atMost = {} } = receiver;
  const sent = Math.min(objects, atMost[set] ?? objects);
  return {
    name: sent < objects ? `${name} (first ${sent})` : name,
    program,
    async run(folder) {
      await mkdir(folder, { recursive: true });
      const port = await freePort();
      await using server = await startServer(program, await receiver.args(port, folder), port, folder);
      const seconds = await feeder.feed(port, set, sent, folder);
      return { figures: { [RATE]: (sent * work) / seconds }, peakRssBytes: server.peakRssBytes() };
    },
  };
}
