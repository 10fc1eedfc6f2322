import { mkdir, open } from "node:fs/promises";
import { join } from "node:path";
import { openXnatClient } from "../../src/network/rest/xnat/login.ts";
import { neverAborted } from "../../src/units/abort.ts";
import { PROJECT, QUERY, startFlipSite } from "../../test/peers/flip-site.ts";
import { accessionsOf, fillCohort } from "../../test/support/flip-cohort.ts";
import type { BenchFactory } from "../context.ts";
import type { Contender } from "../harness.ts";
import { benchScript, RADFERRY, runToEnd } from "../processes.ts";

const STUDIES = 10_000;
const CALLS = 5;
const STATUS = "status call";
const RATE = "data";
const LIBRARY = "radferry (library)";
const FILE_SIZES = { "radferry upload, 256 MB": 256e6, "radferry upload, 5 GB": 5e9 } as const;

/** What FLIP asks of its imaging-api, over the stand-in for XNAT: the five lists of a large cohort; a result of any size, digest compared. */
export const flip: BenchFactory = async () => {
  await using opened = new AsyncDisposableStack();
  const accessions = accessionsOf(STUDIES);
  const site = opened.use(await startFlipSite({ accessions }));
  const { xnat, environment, images } = site;
  fillCohort(xnat.state, PROJECT, accessions);
  const credentials = { username: xnat.username, password: () => Promise.resolve(xnat.password) };
  await using client = openXnatClient({ baseUrl: xnat.url, credentials });
  const session = `data/projects/${PROJECT}/subjects/S1/experiments/RESULTS?xsiType=xnat:ctSessionData`;
  await using _ = await client.request({ method: "PUT", path: session, signal: neverAborted() });

  const status = statusCall(environment);
  const uploads = Object.entries(FILE_SIZES).map(([name, sizeBytes]) =>
    upload(name, sizeBytes, { environment, images }),
  );
  const closing = opened.move();
  return {
    comparisons: [
      {
        title: `FLIP: import status of ${STUDIES} studies`,
        figures: { [STATUS]: "ms" },
        contenders: [status],
        gates: [],
        absoluteGates: [{ figure: STATUS, contender: LIBRARY, bound: { atMost: 300 } }],
      },
      {
        title: "FLIP: upload of a file of zeros, digest compared",
        figures: { [RATE]: "MB/s" },
        contenders: uploads,
        gates: [],
        isRunOnce: true,
        memoryGates: uploads.map(({ name: contender }) => ({ contender, rssAtMostBytes: 200e6 })),
      },
    ],
    [Symbol.asyncDispose]: () => closing.disposeAsync(),
  };
};

type FlipEnvironment = Readonly<Record<string, string>>;

function statusCall(environment: FlipEnvironment): Contender {
  return {
    name: LIBRARY,
    program: RADFERRY,
    async run(folder) {
      await mkdir(folder, { recursive: true });
      const [node, script] = benchScript("flip-main.ts");
      const args = [script, JSON.stringify(environment), PROJECT, QUERY, `${CALLS}`];
      const { stdout, peakRssBytes } = await runToEnd(node, args, folder);
      const { milliseconds, told }: { readonly milliseconds: number; readonly told: number } = JSON.parse(stdout);
      if (told !== STUDIES) throw new Error(`${told} of ${STUDIES} accession numbers were told of`);
      return { figures: { [STATUS]: milliseconds }, peakRssBytes };
    },
  };
}

function upload(
  name: string,
  sizeBytes: number,
  { environment, images }: { readonly environment: FlipEnvironment; readonly images: string },
): Contender {
  const variables = Object.entries(environment).map((pair) => pair.join("="));
  return {
    name,
    program: RADFERRY,
    async run(folder) {
      await mkdir(folder, { recursive: true });
      await mkdir(join(images, "unet", "upload"), { recursive: true });
      await using file = await open(join(images, "unet", "upload", "mask.nii"), "w");
      await file.truncate(sizeBytes);
      const place = [
        "--project",
        PROJECT,
        "--accession",
        "RESULTS",
        "--net",
        "unet",
        "--scan",
        "3",
        "--resource",
        "SEG",
      ];
      const args = [...variables, RADFERRY, "upload", ...place, "--exist-ok", "mask.nii"];
      const { seconds, peakRssBytes } = await runToEnd("env", args, folder);
      return { figures: { [RATE]: sizeBytes / 1e6 / seconds }, peakRssBytes };
    },
  };
}
