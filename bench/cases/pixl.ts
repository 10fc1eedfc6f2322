import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { emptyOrthanc, introduceModality, startOrthanc } from "../../test/peers/orthanc.ts";
import { type SyntheticStudy, syntheticStudy } from "../../test/peers/synthetic-studies.ts";
import { openPixlSite, type PixlSite, store } from "../../test/support/pixl-site.ts";
import type { BenchFactory } from "../context.ts";
import type { Comparison, Contender } from "../harness.ts";
import { isInstalled } from "../machine.ts";
import { benchScript, RADFERRY, runToEnd } from "../processes.ts";

const OURS = "radferry";
const POLLED = "PIXL's requests, jobs looked at every 10 s";
const RATE = "studies";
const TIME = "from store to hand-over";
const REQUESTS = "requests of orthanc-raw";
const SMALL = { modality: "CT", rows: 16, columns: 16 } as const;

/** The last quarter is in the secondary archive only. */
const STUDIES = Array.from({ length: 40 }, (_, index) =>
  syntheticStudy({ ...SMALL, seed: 1_000 + index, instancesPerSeries: 5 }),
);
const IN_PRIMARY = STUDIES.slice(0, 30);
/** Two turns of five in flight. */
const POLLED_STUDIES = IN_PRIMARY.slice(0, 10);
const TWENTY = syntheticStudy({ ...SMALL, seed: 1_100, series: 2, instancesPerSeries: 10 });
const LARGE = syntheticStudy({ ...SMALL, seed: 1_101, series: 4, instancesPerSeries: 500 });
const MISSING = 5;

const messageFor = ({ patientId, accessionNumber, studyInstanceUid }: SyntheticStudy): string =>
  JSON.stringify({ mrn: patientId, accession_number: accessionNumber, study_uid: studyInstanceUid, project_name: "p" });

/** PIXL's messages from the store to orthanc-anon by C-STORE, with four Orthancs on this machine. */
export const pixl: BenchFactory = async () => {
  if (!isInstalled("Orthanc")) return { comparisons: [], async [Symbol.asyncDispose]() {} };
  await using opened = new AsyncDisposableStack();
  const site = opened.use(await openPixlSite());
  const anon = opened.use(await startOrthanc({ aeTitle: "PIXLANON" }));
  await introduceModality(site.raw, "PIXL-Anon", anon);
  for (const { instances } of [...IN_PRIMARY, TWENTY, LARGE]) await store(site.vna, instances);
  for (const { instances } of STUDIES.slice(IN_PRIMARY.length)) await store(site.pacs, instances);

  const contender = (name: string, script: string, studies: readonly SyntheticStudy[], held: Held = []): Contender => ({
    name,
    program: RADFERRY,
    async run(folder) {
      await mkdir(folder, { recursive: true });
      await emptyOrthanc(anon);
      await emptyOrthanc(site.raw);
      await store(site.raw, held);
      const file = join(folder, "work.json");
      await writeFile(file, JSON.stringify({ environment: environmentOf(site), messages: studies.map(messageFor) }));
      const { stdout, peakRssBytes } = await runToEnd(...programOf(script, file), folder);
      const { seconds, handedOver, requests }: Printed = JSON.parse(stdout);
      if (handedOver !== studies.length) throw new Error(`${handedOver} of ${studies.length} studies were handed over`);
      const figures = { [RATE]: studies.length / seconds, [TIME]: seconds * 1_000, [REQUESTS]: requests };
      return { figures, peakRssBytes };
    },
  });
  const closing = opened.move();
  return { comparisons: comparisonsOf(contender), [Symbol.asyncDispose]: () => closing.disposeAsync() };
};

type Held = SyntheticStudy["instances"];
type MakeContender = (name: string, script: string, studies: readonly SyntheticStudy[], held?: Held) => Contender;

interface Printed {
  readonly seconds: number;
  readonly handedOver: number;
  readonly requests: number;
}

function comparisonsOf(contender: MakeContender): readonly Comparison[] {
  return [
    {
      title: "40 studies of 5 instances, a quarter of them in the secondary archive only, 5 messages in flight",
      figures: { [RATE]: "1/s" },
      contenders: [contender(OURS, "pixl-main.ts", STUDIES)],
      gates: [],
      absoluteGates: [{ figure: RATE, contender: OURS, bound: { atLeast: 5 } }],
    },
    {
      title: "10 of the studies as PIXL's own imaging API asks for them",
      figures: { [RATE]: "1/s" },
      contenders: [
        contender(OURS, "pixl-main.ts", POLLED_STUDIES),
        contender(POLLED, "pixl-polling-main.ts", POLLED_STUDIES),
      ],
      gates: [{ figure: RATE, contender: OURS, peer: POLLED, ratio: { atLeast: 10 } }],
      isRunOnce: true,
    },
    {
      title: "one study of 20 instances",
      figures: { [TIME]: "ms" },
      contenders: [contender(OURS, "pixl-main.ts", [TWENTY])],
      gates: [],
      absoluteGates: [{ figure: TIME, contender: OURS, bound: { atMost: 1_000 } }],
    },
    {
      title: `a study of ${LARGE.instances.length} instances of which ${MISSING} are missing`,
      figures: { [TIME]: "ms", [REQUESTS]: "" },
      contenders: [contender(OURS, "pixl-main.ts", [LARGE], LARGE.instances.slice(MISSING))],
      gates: [],
      absoluteGates: [{ figure: REQUESTS, contender: OURS, bound: { atMost: 100 } }],
      isRunOnce: true,
    },
  ];
}

function programOf(script: string, file: string): readonly [string, readonly string[]] {
  const [program, path] = benchScript(script);
  return [program, [path, file]];
}

function environmentOf(site: PixlSite): Readonly<Record<string, string>> {
  const windows = "Mon-Sun 00:00-24:00";
  return { ...site.environment(), RADFERRY_PIXL_HANDOVER: "c-store", RADFERRY_PIXL_SECONDARY_WINDOWS: windows };
}
