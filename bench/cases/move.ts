import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { startDcmqrscp } from "../../test/peers/dcmtk.ts";
import { freePort } from "../../test/peers/free-port.ts";
import { type BenchFactory, setFolder } from "../context.ts";
import type { Contender } from "../harness.ts";
import { isInstalled } from "../machine.ts";
import { RADFERRY, runToEnd, startServer } from "../processes.ts";
import { objectSet } from "../sets.ts";

const ARCHIVE = "ARCHIVE";
const SINK = "BENCHSINK";
const OURS = "radferry dicom move, receive";
const OURS_LIKE_STORESCP = "radferry dicom move, receive --sync association";
const MOVESCU = "movescu, storescp +B";
const TIME = "whole process";

/** Both halves of a retrieval: what asks for it, and what it is sent to. */
interface Pair {
  readonly name: string;
  readonly program: string;
  sink(port: number, folder: string): readonly [program: string, args: readonly string[]];
  move(archivePort: number, study: string): readonly [program: string, args: readonly string[]];
}

function ours(name: string, options: readonly string[]): Pair {
  return {
    name,
    program: RADFERRY,
    sink: (port, folder) => [
      RADFERRY,
      ["dicom", "receive", "--port", `${port}`, "--aet", SINK, "--out", folder, ...options],
    ],
    move: (port, study) => [
      RADFERRY,
      ["dicom", "move", `${ARCHIVE}@127.0.0.1:${port}`, "-k", `StudyInstanceUID=${study}`, "--dest", SINK],
    ],
  };
}

const PAIRS: readonly Pair[] = [
  ours(OURS, []),
  ours(OURS_LIKE_STORESCP, ["--sync", "association"]),
  {
    name: MOVESCU,
    program: "movescu",
    sink: (port, folder) => ["storescp", ["-aet", SINK, "+B", "-od", folder, `${port}`]],
    move: (port, study) => [
      "movescu",
      ["-S", "-aec", ARCHIVE, "-aem", SINK, "-k", "QueryRetrieveLevel=STUDY", "-k", `StudyInstanceUID=${study}`].concat(
        ["127.0.0.1", `${port}`],
      ),
    ],
  },
];

/** One study of 500 slices out of dcmqrscp, from the start of the program that asks to its end. */
export const move: BenchFactory = async (context) => {
  if (!isInstalled("dcmqrscp")) return { comparisons: [], async [Symbol.asyncDispose]() {} };
  const storageDir = join(context.folder, "archive");
  await mkdir(storageDir, { recursive: true });
  const sinkPort = await freePort();
  const archive = await startDcmqrscp({
    aeTitle: ARCHIVE,
    storageDir,
    moveDestinations: [{ aeTitle: SINK, port: sinkPort }],
  });
  await context.files("a");
  const toArchive = ["-aec", ARCHIVE, "+sd", "127.0.0.1", `${archive.port}`, setFolder(context.folder, "a")];
  await runToEnd("dcmsend", toArchive, context.folder);
  const [object] = objectSet("a", 1).objects;
  const contenders = PAIRS.map(
    (pair): Contender => ({
      name: pair.name,
      program: pair.program,
      async run(folder) {
        await mkdir(folder, { recursive: true });
        const [program, args] = pair.sink(sinkPort, folder);
        await using sink = await startServer(program, args, sinkPort, folder);
        const { seconds } = await runToEnd(...pair.move(archive.port, object?.studyInstanceUid ?? ""), folder);
        return { figures: { [TIME]: seconds }, peakRssBytes: sink.peakRssBytes() };
      },
    }),
  );
  return {
    comparisons: [
      {
        title: "C-MOVE of 500 CT slices of 512 KiB out of dcmqrscp, to disk",
        figures: { [TIME]: "s" },
        contenders,
        gates: [OURS_LIKE_STORESCP, OURS].flatMap((contender) => [
          { name: "floor", figure: TIME, contender, peer: MOVESCU, ratio: { atMost: 1.6 } },
          { name: "target", figure: TIME, contender, peer: MOVESCU, ratio: { atMost: 1.2 } },
        ]),
        memoryGates: [{ contender: OURS, rssAtMostBytes: 200e6 }],
      },
    ],
    [Symbol.asyncDispose]: () => archive[Symbol.asyncDispose](),
  };
};
