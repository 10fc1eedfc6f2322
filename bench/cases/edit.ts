import { cp, mkdir } from "node:fs/promises";
import { join } from "node:path";
import { type BenchFactory, setFolder } from "../context.ts";
import type { Contender } from "../harness.ts";
import { benchPeer, benchScript, RADFERRY, runToEnd } from "../processes.ts";
import { objectSet } from "../sets.ts";

const OURS = "radferry (library)";
const GDCMANON = "gdcmanon --dumb, whole process";
const RATE = "files edited";

/** Four elements replaced and one removed in CT slices of 512 KiB, to other files in the page cache; dcmodify works on copies in place. */
export const edit: BenchFactory = async (context) => {
  const files = await context.files("a");
  const input = setFolder(context.folder, "a");
  const { objects } = objectSet("a");
  const library = (name: string, command: readonly [string, string]): Contender => ({
    name,
    program: name === OURS ? RADFERRY : command[0],
    async run(output) {
      await mkdir(output, { recursive: true });
      const [program, script] = command;
      const { stdout, peakRssBytes } = await runToEnd(program, [script, input, output], output);
      const { seconds }: { readonly seconds: number } = JSON.parse(stdout);
      return { figures: { [RATE]: objects.length / seconds }, peakRssBytes };
    },
  });
  const gdcmanon: Contender = {
    name: GDCMANON,
    program: "gdcmanon",
    async run(output) {
      await mkdir(output, { recursive: true });
      const replaced = ["10,10=Anonymous", "10,20=SUBJECT-0001", "8,50=0000", "8,80=Somewhere"];
      const edits = [...replaced.flatMap((each) => ["--replace", each]), "--remove", "10,1040"];
      const args = ["--dumb", ...edits, "-r", "-i", input, "-o", output];
      const { seconds, peakRssBytes } = await runToEnd("gdcmanon", args, output);
      return { figures: { [RATE]: objects.length / seconds }, peakRssBytes };
    },
  };
  const dcmodify: Contender = {
    name: "dcmodify, whole process",
    program: "dcmodify",
    async run(output) {
      await mkdir(output, { recursive: true });
      const copies = objects.map(({ sopInstanceUid }) => join(output, `${sopInstanceUid}.dcm`));
      for (const [index, path] of copies.entries()) await cp(files[index] ?? "", path);
      const replaced = [
        ...["PatientName=Anonymous", "PatientID=SUBJECT-0001", "AccessionNumber=0000", "InstitutionName=Somewhere"],
      ];
      const edits = [...replaced.flatMap((each) => ["-m", each]), "-ea", "PatientAddress"];
      const { seconds, peakRssBytes } = await runToEnd("dcmodify", ["-nb", ...edits, ...copies], output);
      return { figures: { [RATE]: objects.length / seconds }, peakRssBytes };
    },
  };
  return {
    comparisons: [
      {
        title: "header edit of 500 CT slices of 512 KiB",
        figures: { [RATE]: "files/s" },
        contenders: [
          library(OURS, benchScript("edit-main.ts")),
          gdcmanon,
          dcmodify,
          library("pydicom", [context.python, benchPeer("edit.py")]),
        ],
        gates: [{ figure: RATE, contender: OURS, peer: GDCMANON, ratio: { atLeast: 1 } }],
      },
    ],
    async [Symbol.asyncDispose]() {},
  };
};
