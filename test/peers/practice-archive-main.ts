import { parseArgs } from "node:util";
import { startPracticeArchive } from "./practice-archive.ts";
import { INCOMPLETE_SEED, practiceStudies } from "./practice-studies.ts";
import { syntheticStudy } from "./synthetic-studies.ts";

/** The practice archive as a process of its own: `--port N --aet AE --destination AET@host:port`. Prints one JSON line when it is ready. */
const { values } = parseArgs({
  options: {
    port: { type: "string", default: "0" },
    aet: { type: "string", default: "PRACTICE" },
    destination: { type: "string", multiple: true, default: [] },
  },
});
const { studyInstanceUid: incomplete } = syntheticStudy({ seed: INCOMPLETE_SEED, modality: "CT" });

const archive = await startPracticeArchive({
  studies: practiceStudies(),
  aeTitle: values.aet,
  port: Number(values.port),
  destinations: values.destination,
  faults: {
    // One study loses instances on the first way, and answers success all the same.
    select: (instances, timesAsked) =>
      timesAsked === 0 && instances[0]?.studyInstanceUid === incomplete ? instances.slice(0, -4) : instances,
  },
});
process.stdout.write(`${JSON.stringify({ address: archive.address })}\n`);
process.once("SIGTERM", () => void archive[Symbol.asyncDispose]());
