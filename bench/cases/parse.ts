import { mkdir } from "node:fs/promises";
import { type BenchFactory, setFolder } from "../context.ts";
import type { Contender } from "../harness.ts";
import { benchPeer, benchScript, RADFERRY, runToEnd } from "../processes.ts";
import { objectSet } from "../sets.ts";

const OURS = "radferry (library)";
const PYDICOM = "pydicom";
const RATE = "headers read";

/**
 * Everything before the pixel data of CT slices of 512 KiB, from the page cache, one file after the other. Libraries are timed inside their
 * process, start-up left out; dcmdump and gdcmdump as whole processes that also print, to nowhere.
 */
export const parse: BenchFactory = async (context) => {
  await context.files("a");
  const folder = setFolder(context.folder, "a");
  const { objects } = objectSet("a");
  const library = (name: string, passes: number, command: readonly [string, string]): Contender => ({
    name,
    program: name === OURS ? RADFERRY : command[0],
    async run(cwd) {
      await mkdir(cwd, { recursive: true });
      const [program, script] = command;
      const { stdout, peakRssBytes } = await runToEnd(program, [script, folder, `${passes}`], cwd);
      const { seconds, files }: { readonly seconds: number; readonly files: number } = JSON.parse(stdout);
      if (files !== objects.length * passes) throw new Error(`${files} headers of ${objects.length * passes}`);
      return { figures: { [RATE]: files / seconds }, peakRssBytes };
    },
  });
  const program = (name: string, args: readonly string[]): Contender => ({
    name: `${name}, whole process`,
    program: name,
    async run(cwd) {
      await mkdir(cwd, { recursive: true });
      const { seconds, peakRssBytes } = await runToEnd(name, args, cwd);
      return { figures: { [RATE]: objects.length / seconds }, peakRssBytes };
    },
  });
  return {
    comparisons: [
      {
        title: "header reading of 500 CT slices of 512 KiB",
        figures: { [RATE]: "files/s" },
        contenders: [
          library(OURS, 40, benchScript("parse-main.ts")),
          library(PYDICOM, 1, [context.python, benchPeer("parse.py")]),
          program("dcmdump", ["+sd", "+st", "SOPInstanceUID", "-q", folder]),
          program("gdcmdump", ["-r", folder]),
        ],
        gates: [{ figure: RATE, contender: OURS, peer: PYDICOM, ratio: { atLeast: 10 } }],
      },
    ],
    async [Symbol.asyncDispose]() {},
  };
};
