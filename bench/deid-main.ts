import { mkdir, readdir } from "node:fs/promises";
import { join } from "node:path";
import { createDeidentifier, createUnverifiedComposer } from "../src/deid/deidentifier.ts";
import { loadProfile } from "../src/deid/profiles/load-profile.ts";
import { projectKeyOf } from "../src/deid/pseudonyms/project-key.ts";
import { createStudyVerification } from "../src/deid/verification/study-verification.ts";
import { neverAborted } from "../src/units/abort.ts";

/**
 * `deid-main.ts verified|unverified IN OUT WARM-UP`: de-identifies one study on this thread, one file after the other. The first files are
 * not counted: they are done again afterwards, into another folder, with code that is compiled. Prints how long all of them took then, the
 * search for what the study tells included.
 */
const [mode = "", input = "", output = "", warmUp = "0"] = process.argv.slice(2);

const options = {
  profile: loadProfile("basic"),
  key: projectKeyOf(Buffer.alloc(32, 1)),
  filters: {},
  blocking: true,
} as const;
const names = await readdir(input);
const signal = neverAborted();

async function deidentify(some: readonly string[], folder: string): Promise<number> {
  await mkdir(folder, { recursive: true });
  const tasks = some.map((name) => ({
    path: join(input, name),
    outputPath: join(folder, name),
    participantId: undefined,
    seriesInstanceCount: some.length,
  }));
  if (mode === "unverified") {
    const composer = createUnverifiedComposer(options);
    for (const task of tasks) await composer.compose(task, signal);
    return tasks.length;
  }
  const engine = createDeidentifier(options);
  const study = createStudyVerification();
  let done = 0;
  for (const task of tasks) {
    const { kind } = await engine.instance({ ...task, study }, signal);
    done += kind === "deidentified" ? 1 : 0;
  }
  const { findings } = await study.finish(signal);
  return done - findings.length;
}

await deidentify(names.slice(0, Number(warmUp)), join(output, "warm-up"));
const startedAtMs = performance.now();
const files = await deidentify(names, join(output, "out"));
const seconds = (performance.now() - startedAtMs) / 1_000;
process.stdout.write(`${JSON.stringify({ seconds, files })}\n`);
