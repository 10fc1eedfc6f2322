import { mkdir } from "node:fs/promises";
import { startOrthanc } from "../../test/peers/orthanc.ts";
import type { BenchFactory } from "../context.ts";
import type { Contender } from "../harness.ts";
import { isInstalled } from "../machine.ts";
import { benchPeer, benchScript, RADFERRY, runToEnd } from "../processes.ts";
import { objectSet } from "../sets.ts";

const AE_TITLE = "ORTHANC";
const OURS = "radferry (library)";
const PYNETDICOM = "pynetdicom";
const RATE = "round trips";

/** One instance of each study is enough to be found. */
const SEARCHES = { ours: 500, theirs: 60 };

/** C-FIND at study level by Study Instance UID: one match each, one search after the other, one association. */
export const find: BenchFactory = async (context) => {
  if (!isInstalled("Orthanc")) return { comparisons: [], async [Symbol.asyncDispose]() {} };
  const orthanc = await startOrthanc({ aeTitle: AE_TITLE });
  const { objects } = objectSet("c");
  const studies = [...new Set(objects.map(({ studyInstanceUid }) => studyInstanceUid))];
  const files = await context.files("c");
  const firsts = studies.flatMap((study) => files[objects.findIndex((each) => each.studyInstanceUid === study)] ?? []);
  await runToEnd("storescu", ["-aec", AE_TITLE, "127.0.0.1", `${orthanc.port}`, ...firsts], context.folder);

  const contender = (name: string, searches: number, command: readonly [string, ...string[]]): Contender => ({
    name,
    program: name === OURS ? RADFERRY : command[0],
    async run(folder) {
      await mkdir(folder, { recursive: true });
      const [program, ...args] = command;
      const { stdout, peakRssBytes } = await runToEnd(program, [...args, `${searches}`, ...studies], folder);
      const { seconds, answers }: { readonly seconds: number; readonly answers: number } = JSON.parse(stdout);
      if (answers !== searches) throw new Error(`${answers} answers to ${searches} searches`);
      return { figures: { [RATE]: searches / seconds }, peakRssBytes };
    },
  });
  const [node, script] = benchScript("find-main.ts");
  return {
    comparisons: [
      {
        title: "C-FIND against Orthanc, one association",
        figures: { [RATE]: "1/s" },
        contenders: [
          contender(OURS, SEARCHES.ours, [node, script, `${AE_TITLE}@127.0.0.1:${orthanc.port}`]),
          contender(PYNETDICOM, SEARCHES.theirs, [
            context.python,
            benchPeer("find.py"),
            ...[AE_TITLE, "127.0.0.1", `${orthanc.port}`],
          ]),
        ],
        gates: [{ figure: RATE, contender: OURS, peer: PYNETDICOM, ratio: { atLeast: 10 } }],
      },
    ],
    [Symbol.asyncDispose]: () => orthanc[Symbol.asyncDispose](),
  };
};
