import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { identifierFromKeys } from "../../src/archive/find-keys.ts";
import { IMPLICIT_VR_LITTLE_ENDIAN } from "../../src/dicom/dictionary/transfer-syntaxes.ts";
import { encodeDataSet } from "../../src/dicom/writer.ts";
import { type DcmtkServer, startDcmqrscp } from "../../test/peers/dcmtk.ts";
import { freePort } from "../../test/peers/free-port.ts";
import { type BenchContext, type BenchFactory, setFolder } from "../context.ts";
import { type GatewayFigures, runGateway } from "../gateway-run.ts";
import type { Comparison, Contender, Measurement } from "../harness.ts";
import { isInstalled } from "../machine.ts";
import { benchScript, processorSecondsOf, RADFERRY, runToEnd, startServer } from "../processes.ts";
import { objectSet, type SetName } from "../sets.ts";

const OURS = "radferry serve, from the cohort handed in to the last study confirmed";
/** What a service does that has run before: it runs for days, and what it uses is compiled within the first minute. */
const NEXT = "the same service, the next cohort of as many";
const MOVESCU = "movescu over one association, storescp +B: retrieved only";
const SLOWEST = "the slowest of radferry's stages alone";
const AGAIN = ", all of it once more";
const STAGES = ["retrieve", "deidentify", "deliver"] as const;
const ARCHIVE = "ARCHIVE";
const SINK = "BENCHSINK";
/** As many as the archive allows unless told otherwise: config of `availability.associations`. */
const ASSOCIATIONS = 4;
const RATE = "rate";
const TIME = "time";
const PROCESSOR = "processor";
const FIGURES = { [RATE]: "studies/s", [TIME]: "s", [PROCESSOR]: "ms/study" };

interface Scene {
  readonly context: BenchContext;
  readonly archive: DcmtkServer;
  /** Where whoever receives listens: one at a time does. */
  readonly port: number;
  readonly studies: readonly string[];
}

/**
 * A cohort out of dcmqrscp into a folder, de-identified, verified and read back; beside what only moves it, and beside each of our stages
 * alone. Then one long study: what it takes in memory.
 */
export const endToEnd: BenchFactory = async (context) => {
  if (!isInstalled("dcmqrscp")) return { comparisons: [], async [Symbol.asyncDispose]() {} };
  await using opened = new AsyncDisposableStack();
  const cohort = await sceneOf(context, "cohort", opened);
  const long = await sceneOf(context, "long", opened);
  const closing = opened.move();
  return {
    comparisons: [speed(cohort), memory(long)],
    [Symbol.asyncDispose]: () => closing.disposeAsync(),
  };
};

async function sceneOf(context: BenchContext, set: SetName, opened: AsyncDisposableStack): Promise<Scene> {
  const storageDir = join(context.folder, `archive-${set}`);
  await mkdir(storageDir, { recursive: true });
  const port = await freePort();
  const moveDestinations = [{ aeTitle: SINK, port }];
  const archive = opened.use(await startDcmqrscp({ aeTitle: ARCHIVE, storageDir, moveDestinations }));
  await context.files(set);
  const toArchive = ["-aec", ARCHIVE, "+sd", "127.0.0.1", `${archive.port}`, setFolder(context.folder, set)];
  await runToEnd("dcmsend", toArchive, context.folder);
  const studies = [...new Set(objectSet(set).objects.map(({ studyInstanceUid }) => studyInstanceUid))];
  return { context, archive, port, studies };
}

function speed(scene: Scene): Comparison {
  return {
    title: `end to end, ${objectSet("cohort", 1).about}`,
    figures: FIGURES,
    contenders: [...gateway(scene), movescu(scene), ...stages(scene)],
    gates: [
      { figure: TIME, contender: OURS, peer: SLOWEST, ratio: { atMost: 1.5 } },
      { figure: TIME, contender: NEXT, peer: SLOWEST + AGAIN, ratio: { atMost: 1.5 } },
    ],
    absoluteGates: [OURS, NEXT].map((contender) => ({ figure: RATE, contender, bound: { atLeast: 10 } })),
    memoryGates: [OURS, NEXT].map((contender) => ({ contender, rssAtMostBytes: 300e6 })),
  };
}

function memory(scene: Scene): Comparison {
  return {
    title: `end to end, ${objectSet("long", 1).about}`,
    figures: { [TIME]: "s" },
    contenders: gateway(scene),
    gates: [],
    isRunOnce: true,
    memoryGates: [OURS, NEXT].map((contender) => ({ contender, rssAtMostBytes: 300e6 })),
  };
}

function measured(scene: Scene, seconds: number, processorSeconds: number, peakRssBytes: number): Measurement {
  const count = scene.studies.length;
  return {
    figures: { [RATE]: count / seconds, [TIME]: seconds, [PROCESSOR]: (1_000 * processorSeconds) / count },
    peakRssBytes,
  };
}

/** Both cohorts go through one service, whose figures the contenders of a round share. */
function gateway(scene: Scene): readonly Contender[] {
  return shared([OURS, NEXT], async (folder) => {
    const { archive, port, studies } = scene;
    const { first, next } = await runGateway(folder, {
      ...{ archive: `${ARCHIVE}@127.0.0.1:${archive.port}`, aeTitle: SINK, dicomPort: port },
      ...{ associations: ASSOCIATIONS, studies },
    });
    const figures = ({ seconds, processorSeconds, peakRssBytes }: GatewayFigures): Measurement =>
      measured(scene, seconds, processorSeconds, peakRssBytes);
    return new Map([
      [OURS, figures(first)],
      [NEXT, figures(next)],
    ]);
  });
}

/** Its processor's time is storescp's. */
function movescu(scene: Scene): Contender {
  return {
    name: MOVESCU,
    program: "movescu",
    async run(folder) {
      const { archive, port, studies } = scene;
      const received = join(folder, "received");
      await mkdir(received, { recursive: true });
      const queries = studies.map((_, index) => join(folder, `${index}.query`));
      for (const [index, study] of studies.entries()) {
        const identifier = identifierFromKeys("STUDY", [`StudyInstanceUID=${study}`]);
        await writeFile(queries[index] ?? "", encodeDataSet(identifier, IMPLICIT_VR_LITTLE_ENDIAN));
      }
      await using sink = await startServer("storescp", ["-aet", SINK, "+B", "-od", received, `${port}`], port, folder);
      const args = ["-S", "-aec", ARCHIVE, "-aem", SINK, "127.0.0.1", `${archive.port}`, ...queries];
      const { seconds } = await runToEnd("movescu", args, folder);
      return measured(scene, seconds, processorSecondsOf(sink.pid), sink.peakRssBytes());
    },
  };
}

interface StageFigures {
  readonly seconds: number;
  readonly processorSeconds: number;
}

/** One program runs them one behind the other; each round's contenders share a run of it. */
function stages(scene: Scene): readonly Contender[] {
  const names = [SLOWEST, ...STAGES.map(aloneName)];
  return shared([...names, ...names.map((name) => name + AGAIN)], (folder) => runStages(scene, folder));
}

/** Contenders of which one run tells all figures: the first of them that is asked for a figure that was taken already runs it again. */
function shared(
  names: readonly string[],
  run: (folder: string) => Promise<ReadonlyMap<string, Measurement>>,
): readonly Contender[] {
  const figures = new Map<string, Measurement>();
  return names.map((name) => ({
    name,
    program: RADFERRY,
    async run(folder) {
      if (!figures.has(name)) for (const [each, figure] of await run(folder)) figures.set(each, figure);
      const figure = figures.get(name);
      figures.delete(name);
      if (figure === undefined) throw new Error(`${name} was not measured`);
      return figure;
    },
  }));
}

function aloneName(stage: (typeof STAGES)[number]): string {
  return `radferry, ${stage} alone`;
}

type StagesTold = Readonly<Record<(typeof STAGES)[number], StageFigures>>;

async function runStages(scene: Scene, folder: string): Promise<ReadonlyMap<string, Measurement>> {
  const { archive, port, studies } = scene;
  await mkdir(folder, { recursive: true });
  const list = join(folder, "studies");
  await writeFile(list, studies.join("\n"));
  const [node, script] = benchScript("end-to-end-stages-main.ts");
  const address = `${ARCHIVE}@127.0.0.1:${archive.port}`;
  const { stdout } = await runToEnd(node, [script, address, SINK, `${port}`, `${ASSOCIATIONS}`, list], folder);
  const { first, next }: { readonly first: StagesTold; readonly next: StagesTold } = JSON.parse(stdout);
  return new Map([...stageFigures(scene, first, ""), ...stageFigures(scene, next, AGAIN)]);
}

function stageFigures(scene: Scene, told: StagesTold, suffix: string): readonly (readonly [string, Measurement])[] {
  const each = STAGES.map((stage) => {
    const { seconds, processorSeconds } = told[stage];
    return [aloneName(stage) + suffix, measured(scene, seconds, processorSeconds, 0)] as const;
  });
  const slowest = each.toSorted(([, one], [, other]) => (other.figures[TIME] ?? 0) - (one.figures[TIME] ?? 0))[0];
  return slowest === undefined ? each : [...each, [SLOWEST + suffix, slowest[1]]];
}
