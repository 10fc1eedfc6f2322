import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { stringify } from "yaml";
import { freePort } from "../../test/peers/free-port.ts";
import type { BenchContext, BenchFactory } from "../context.ts";
import type { Comparison, Contender } from "../harness.ts";
import { RADFERRY, runToEnd, startServer } from "../processes.ts";
import { objectSet, type SetName } from "../sets.ts";

const AE_TITLE = "BENCHSCP";
const SENDERS = 20;
const RATE = "rate";
const OURS = "radferry serve, intake";
const PLAIN = "radferry dicom receive";
const STORESCP = "storescp +B --fork";

/** A program that takes what comes; what it is started with. */
interface Receiver {
  readonly name: string;
  readonly program: string;
  args(port: number, folder: string): Promise<readonly string[]>;
}

const RECEIVERS: readonly Receiver[] = [
  { name: OURS, program: RADFERRY, args: serviceArgs },
  {
    name: PLAIN,
    program: RADFERRY,
    args: async (port, folder) => ["dicom", "receive", "--port", `${port}`, "--aet", AE_TITLE, "--out", folder],
  },
  {
    name: STORESCP,
    program: "storescp",
    args: async (port, folder) => ["-aet", AE_TITLE, "+B", "--fork", "-od", folder, `${port}`],
  },
];

/** A service that takes everything, of which nothing becomes a job while it is measured. */
async function serviceArgs(port: number, folder: string): Promise<readonly string[]> {
  const config = join(folder, "radferry.yaml");
  await writeFile(join(folder, "project.key"), `${"5a".repeat(32)}\n`, { mode: 0o600 });
  const settings = {
    home: join(folder, "home"),
    dicom: { aeTitle: AE_TITLE, host: "127.0.0.1", port },
    http: { port: await freePort() },
    staging: { reserveGigabytes: 0 },
    destinations: [{ name: "folder", kind: "folder", path: join(folder, "delivered") }],
    projects: [{ name: "bench", archives: [], destinations: ["folder"], profile: "research", keyFile: "project.key" }],
    intake: { quietSeconds: 86_400, longestSeconds: 604_800, rules: [{ name: "all", project: "bench" }] },
  };
  await writeFile(config, stringify(settings));
  return ["-c", config, "serve", "--json"];
}

/** Scanners and routers that send unasked: twenty at once, each its part of the set over an association of its own. */
export const intake: BenchFactory = async (context) => {
  const names = context.sets.filter((name) => name === "a" || name === "c");
  for (const name of names) await context.files(name);
  return { comparisons: names.map((name) => comparisonOf(name, context)), async [Symbol.asyncDispose]() {} };
};

function comparisonOf(name: SetName, context: BenchContext): Comparison {
  const { about, objects, totalBytes } = objectSet(name);
  const work = name === "c" ? objects.length : totalBytes / 1e6;
  return {
    title: `take in ${about}, sent by ${SENDERS} dcmsend at once`,
    figures: { [RATE]: name === "c" ? "objects/s" : "MB/s" },
    contenders: RECEIVERS.map((receiver) => contenderOf(receiver, name, work, context)),
    gates: [{ figure: RATE, contender: OURS, peer: STORESCP, ratio: { atLeast: 0.95 } }],
    memoryGates: [{ contender: OURS, rssAtMostBytes: 300e6 }],
  };
}

function contenderOf({ name, program, args }: Receiver, set: SetName, work: number, context: BenchContext): Contender {
  return {
    name,
    program,
    async run(folder) {
      await mkdir(folder, { recursive: true });
      const files = await context.files(set);
      const port = await freePort();
      await using server = await startServer(program, await args(port, folder), port, folder);
      const startedAtMs = performance.now();
      await Promise.all(
        Array.from({ length: SENDERS }, async (_, sender) => {
          const own = files.filter((_file, index) => index % SENDERS === sender);
          await runToEnd("dcmsend", ["-aec", AE_TITLE, "127.0.0.1", `${port}`, ...own], folder);
        }),
      );
      const seconds = (performance.now() - startedAtMs) / 1_000;
      return { figures: { [RATE]: work / seconds }, peakRssBytes: server.peakRssBytes() };
    },
  };
}
