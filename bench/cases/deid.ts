import { existsSync } from "node:fs";
import { cp, mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { CONFIDENTIALITY_TABLE } from "../../src/deid/tables/confidentiality-table.generated.ts";
import { lookupElement } from "../../src/dicom/dictionary/dictionary.ts";
import { readPart10File } from "../../src/dicom/reader.ts";
import { formatTag, formatTagHex, tagOf } from "../../src/dicom/tag.ts";
import { type OrthancServer, startOrthanc } from "../../test/peers/orthanc.ts";
import { type BenchContext, type BenchFactory, setFolder } from "../context.ts";
import type { Comparison, Contender, Measurement } from "../harness.ts";
import { isInstalled } from "../machine.ts";
import { benchPeer, benchScript, RADFERRY, runToEnd } from "../processes.ts";
import { readyMemory } from "../ready-memory.ts";
import { objectSet, type SetName } from "../sets.ts";

const WHOLE = "radferry deid run, all cores, whole process";
const VERIFIED = "radferry (library), one core, verified";
const UNVERIFIED = "radferry (library), one core, not verified";
const GDCMANON = "gdcmanon --dumb, whole process";
const DCMODIFY = "dcmodify, whole process";
const PYDICOM = "pydicom";
const ORTHANC = "Orthanc /instances/{id}/anonymize";
const RATE = "instances";
const BYTES = "data";
/** Of the figures with which the gates were set: 1,000 and 500 instances a second beside gdcmanon's 610. */
const GDCMANON_THEN = 610;
const RSS_LIMIT_BYTES = 200e6;
const WARM_UP = 200;
/** A file system in memory, where the system has one. */
const MEMORY_FOLDER = "/dev/shm";
/** As `bin/radferry` starts the program: a small nursery takes little memory. */
const LIBRARY_FLAGS = ["--max-semi-space-size=4"];
/** Slower ones do a part of the set. */
const PART = { dcmodify: 200, pydicom: 100, orthanc: 30 } as const;

type Action = "X" | "Z" | "D" | "U";

/**
 * CT slices through the basic profile of PS3.15. What the others do is the nearest they can:
 * gdcmanon without certificates and dcmodify remove, empty and replace the top level's attributes as the table says (all UIDs of slices stay
 * with gdcmanon; dcmodify makes three new ones); pydicom walks all depths and makes new UIDs; Orthanc anonymises as it does by default.
 * None of them reads again what it wrote.
 */
export const deid: BenchFactory = async (context) => {
  const prepared = await prepare(context);
  const orthanc = isInstalled("Orthanc") ? await startOrthanc({ aeTitle: "ORTHANC" }) : undefined;
  return {
    comparisons: [
      await slices(context, prepared, orthanc),
      ...(existsSync(MEMORY_FOLDER) ? [await slicesInMemory(context, prepared)] : []),
      await wholeRuns(context, prepared, "many", "4 studies"),
      await wholeRuns(context, prepared, "b", "1 study"),
    ],
    async [Symbol.asyncDispose]() {
      await orthanc?.[Symbol.asyncDispose]();
    },
  };
};

interface Prepared {
  readonly keyFile: string;
  readonly rulesFile: string;
  /** Of the attributes at the top level of the set's objects, but for those of the patient's pseudonym. */
  readonly actions: ReadonlyMap<number, Action>;
}

async function prepare(context: BenchContext): Promise<Prepared> {
  const [first = ""] = await context.files("a");
  await using file = await readPart10File(first);
  const rules = new Map(CONFIDENTIALITY_TABLE.map(({ tag, basic }) => [tag, actionOf(basic)]));
  const present = [...file.dataSet.keys()].flatMap((tag) => {
    const action = rules.get(tag);
    return action === undefined ? [] : [[tag, action] as const];
  });
  const keyFile = join(context.folder, "key");
  const rulesFile = join(context.folder, "rules.json");
  await writeFile(keyFile, `${"5a".repeat(32)}\n`, { mode: 0o600 });
  await writeFile(rulesFile, JSON.stringify(Object.fromEntries(rules)));
  return { keyFile, rulesFile, actions: new Map(present) };
}

/** A combined code as its first letter: the attribute is of Type 3. */
function actionOf(basic: string): Action {
  const letter = basic.charAt(0);
  return letter === "Z" || letter === "D" || letter === "U" ? letter : "X";
}

async function slices(
  context: BenchContext,
  prepared: Prepared,
  orthanc: OrthancServer | undefined,
): Promise<Comparison> {
  const { about } = objectSet("a", 1);
  const floor = (contender: string, perSecond: number) => [
    { name: "floor", figure: RATE, contender, bound: { atLeast: perSecond } },
  ];
  const then = (contender: string, perSecond: number) => ({
    name: `as ${perSecond}/s beside its ${GDCMANON_THEN}/s`,
    figure: RATE,
    contender,
    peer: GDCMANON,
    ratio: { atLeast: Math.round((100 * perSecond) / GDCMANON_THEN) / 100 },
  });
  return {
    title: `de-identify ${about}`,
    figures: { [RATE]: "1/s" },
    contenders: [
      deidRun(context, prepared, "a"),
      library(context, VERIFIED, "verified"),
      library(context, UNVERIFIED, "unverified"),
      gdcmanon(context, prepared, "a"),
      await dcmodify(context, prepared),
      pydicom(context, prepared),
      ...(orthanc === undefined ? [] : [await orthancAnonymize(context, orthanc)]),
    ],
    gates: [
      then(UNVERIFIED, 1_000),
      then(VERIFIED, 500),
      { figure: RATE, contender: WHOLE, peer: GDCMANON, ratio: { atLeast: 1 } },
      ...[DCMODIFY, PYDICOM, ORTHANC].map((peer) => ({
        figure: RATE,
        contender: VERIFIED,
        peer,
        ratio: { atLeast: 1 },
      })),
    ],
    absoluteGates: [...floor(UNVERIFIED, 1_000), ...floor(VERIFIED, 500)],
    memoryGates: [WHOLE, VERIFIED].map((contender) => ({ contender, rssAtMostBytes: RSS_LIMIT_BYTES })),
  };
}

/** The same without the disk: beside it, not in its place. */
async function slicesInMemory(context: BenchContext, prepared: Prepared): Promise<Comparison> {
  const inMemory = (contender: Contender): Contender => ({
    ...contender,
    async run() {
      const folder = await mkdtemp(join(MEMORY_FOLDER, "radferry-bench-"));
      try {
        return await contender.run(join(folder, "run"));
      } finally {
        await rm(folder, { recursive: true });
      }
    },
  });
  return {
    title: `de-identify ${objectSet("a", 1).about}, outputs in memory`,
    figures: { [RATE]: "1/s" },
    contenders: [
      library(context, VERIFIED, "verified"),
      library(context, UNVERIFIED, "unverified"),
      gdcmanon(context, prepared, "a"),
      await dcmodify(context, prepared),
    ].map(inMemory),
    gates: [],
  };
}

/** Sets in which starting counts little. */
async function wholeRuns(
  context: BenchContext,
  prepared: Prepared,
  set: SetName,
  studies: string,
): Promise<Comparison> {
  await context.files(set);
  const { about } = objectSet(set, 1);
  const isOfSlices = set === "many";
  const goal = isOfSlices ? { figure: RATE, atLeast: 1_000 } : { figure: BYTES, atLeast: 600 };
  return {
    title: `de-identify ${about}${isOfSlices ? "" : `, ${studies}`}`,
    figures: isOfSlices ? { [RATE]: "1/s", [BYTES]: "MB/s" } : { [BYTES]: "MB/s" },
    contenders: [deidRun(context, prepared, set), gdcmanon(context, prepared, set)],
    gates: [
      {
        name: isOfSlices ? `target, as 1000/s beside its ${GDCMANON_THEN}/s` : "target",
        figure: goal.figure,
        contender: WHOLE,
        peer: GDCMANON,
        ratio: { atLeast: isOfSlices ? Math.round(100_000 / GDCMANON_THEN) / 100 : 1 },
      },
    ],
    absoluteGates: [{ name: "target", figure: goal.figure, contender: WHOLE, bound: { atLeast: goal.atLeast } }],
    memoryGates: [{ contender: WHOLE, rssAtMostBytes: RSS_LIMIT_BYTES }],
  };
}

/** For the outputs of a set, or of its first objects. */
async function ready({ files }: BenchContext, output: string, set: SetName, part?: number): Promise<void> {
  await readyMemory(output, objectSet(set, 1).totalBytes * (part ?? (await files(set)).length));
}

function measured(set: SetName, instances: number, seconds: number, peakRssBytes: number): Measurement {
  const { objects, pixels } = objectSet(set, 1);
  const bytes = (objects[0]?.header.length ?? 0) + pixels.length;
  return { figures: { [RATE]: instances / seconds, [BYTES]: (instances * bytes) / seconds / 1e6 }, peakRssBytes };
}

function deidRun(context: BenchContext, { keyFile }: Prepared, set: SetName): Contender {
  return {
    name: WHOLE,
    program: RADFERRY,
    async run(output) {
      await ready(context, output, set);
      const args = ["deid", "run", setFolder(context.folder, set), join(output, "out"), "--profile", "basic"];
      const options = ["--key-file", keyFile, "--project", "bench", "--json"];
      const { seconds, peakRssBytes, stdout } = await runToEnd(RADFERRY, [...args, ...options], output);
      const { instances }: { readonly instances: { readonly delivered: number } } = JSON.parse(stdout);
      return measured(set, instances.delivered, seconds, peakRssBytes);
    },
  };
}

function library(context: BenchContext, name: string, mode: "verified" | "unverified"): Contender {
  return {
    name,
    program: RADFERRY,
    async run(output) {
      await ready(context, output, "a");
      const [program, script] = benchScript("deid-main.ts");
      const args = [...LIBRARY_FLAGS, script, mode, setFolder(context.folder, "a"), output, `${WARM_UP}`];
      const { stdout, peakRssBytes } = await runToEnd(program, args, output);
      const { seconds, files }: { readonly seconds: number; readonly files: number } = JSON.parse(stdout);
      return measured("a", files, seconds, peakRssBytes);
    },
  };
}

function gdcmanon(context: BenchContext, { actions }: Prepared, set: SetName): Contender {
  const edits = [...actions].flatMap(([tag, action]): readonly string[] => {
    const name = formatTagHex(tagOf(tag)).replace(/^(.{4})/, "$1,");
    if (action === "X") return ["--remove", name];
    if (action === "Z") return ["--empty", name];
    return action === "D" ? ["--replace", `${name}=${dummyOf(tag)}`] : [];
  });
  return {
    name: GDCMANON,
    program: "gdcmanon",
    async run(output) {
      await ready(context, output, set);
      const args = ["--dumb", ...edits, "-r", "-i", setFolder(context.folder, set), "-o", output];
      const { seconds, peakRssBytes } = await runToEnd("gdcmanon", args, output);
      return measured(set, await wholeFiles(output, set), seconds, peakRssBytes);
    },
  };
}

/** Of those that can fail without saying so. @throws Error when one is shorter than its pixels */
async function wholeFiles(folder: string, set: SetName): Promise<number> {
  const names = await readdir(folder);
  const { pixels } = objectSet(set, 1);
  for (const name of names) {
    const { size } = await stat(join(folder, name));
    if (size <= pixels.length) throw new Error(`an output of ${size} bytes has lost its pixels`);
  }
  return names.length;
}

/** On copies, in place. */
async function dcmodify(context: BenchContext, { actions }: Prepared): Promise<Contender> {
  const files = (await context.files("a")).slice(0, PART.dcmodify);
  const edits = [...actions].flatMap(([tag, action]): readonly string[] => {
    const name = formatTag(tagOf(tag));
    if (action === "X") return ["-ea", name];
    return action === "U" ? [] : ["-m", `${name}=${action === "Z" ? "" : dummyOf(tag)}`];
  });
  return {
    name: DCMODIFY,
    program: "dcmodify",
    async run(output) {
      await ready(context, output, "a", files.length);
      const copies = files.map((_, index) => join(output, `${index}.dcm`));
      for (const [index, path] of copies.entries()) await cp(files[index] ?? "", path);
      const args = ["-nb", "-gst", "-gse", "-gin", ...edits, ...copies];
      const { seconds, peakRssBytes } = await runToEnd("dcmodify", args, output);
      return measured("a", copies.length, seconds, peakRssBytes);
    },
  };
}

function dummyOf(tag: number): string {
  const vr = lookupElement(tagOf(tag))?.vr ?? "";
  return { DA: "19000101", TM: "000000", DT: "19000101000000", IS: "0", DS: "0" }[vr] ?? "ANON";
}

function pydicom(context: BenchContext, { rulesFile }: Prepared): Contender {
  return {
    name: PYDICOM,
    program: context.python,
    async run(output) {
      await ready(context, output, "a", PART.pydicom);
      const args = [benchPeer("deid.py"), rulesFile, setFolder(context.folder, "a"), output, `${PART.pydicom}`];
      const { stdout, peakRssBytes } = await runToEnd(context.python, args, output);
      const { seconds, files }: { readonly seconds: number; readonly files: number } = JSON.parse(stdout);
      return measured("a", files, seconds, peakRssBytes);
    },
  };
}

/** Over one connection, one instance after the other, the answers written to disk; sending them there is not counted. */
async function orthancAnonymize(context: BenchContext, { httpPort }: OrthancServer): Promise<Contender> {
  const ids: string[] = [];
  for (const path of (await context.files("a")).slice(0, PART.orthanc)) {
    const answer = await fetch(`http://127.0.0.1:${httpPort}/instances`, {
      method: "POST",
      body: await readFile(path),
    });
    const { ID: id }: { readonly ID: string } = JSON.parse(await answer.text());
    ids.push(id);
  }
  return {
    name: ORTHANC,
    program: "Orthanc",
    async run(output) {
      await ready(context, output, "a", ids.length);
      const startedAtMs = performance.now();
      for (const id of ids) {
        const answer = await fetch(`http://127.0.0.1:${httpPort}/instances/${id}/anonymize`, {
          method: "POST",
          body: "{}",
        });
        if (!answer.ok) throw new Error(`Orthanc answered ${answer.status}`);
        await writeFile(join(output, `${id}.dcm`), answer.body ?? "");
      }
      return measured("a", ids.length, (performance.now() - startedAtMs) / 1_000, 0);
    },
  };
}
