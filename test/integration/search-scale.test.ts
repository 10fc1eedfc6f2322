import { stat } from "node:fs/promises";
import { join } from "node:path";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { expect, it } from "vitest";
import { createDimseArchive } from "../../src/archive/dimse/dimse-archive.ts";
import { createExpectations } from "../../src/archive/expectations.ts";
import { parseAeTitle } from "../../src/dicom/ae-title.ts";
import { tags } from "../../src/dicom/dictionary/tags.ts";
import { dataSetOf, textElement } from "../../src/dicom/values.ts";
import { startDimseServer } from "../../src/network/dimse/server.ts";
import { askArchive, checkWish } from "../../src/operations/search/ask-archive.ts";
import { cohortFileOf, createFoundFile } from "../../src/operations/search/found-studies.ts";
import { neverAborted } from "../../src/units/abort.ts";
import { systemClock } from "../../src/units/clock.ts";
import { silentLogger } from "../../src/units/logger.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";

/** Not a number that archives are usually limited to. */
const STUDIES = 50_001;
const LOOKED_AT = [5_000, 45_000] as const;
/** As rows of seven texts, the studies between the two looks would take more than 20 MB. */
const GROWTH_BYTES = 6 * 1024 * 1024;

setFlagsFromString("--expose-gc");
const collectGarbage: () => void = runInNewContext("gc");

function heapBytes(): number {
  collectGarbage();
  return process.memoryUsage().heapUsed;
}

/** Answers every query with so many studies, each made when it is sent. */
async function startLargeArchive(look: (given: number) => void) {
  return await startDimseServer({
    host: "127.0.0.1",
    port: 0,
    aeTitle: parseAeTitle("LARGE"),
    handlers: {
      async *find() {
        for (let number = 1; number <= STUDIES; number += 1) {
          look(number);
          yield dataSetOf([
            textElement(tags.QueryRetrieveLevel, "STUDY"),
            textElement(tags.StudyDate, "20260102"),
            textElement(tags.AccessionNumber, `A${number}`),
            textElement(tags.StudyDescription, `Thorax with contrast, protocol ${number % 97}`),
            textElement(tags.PatientID, `PATIENT-${number}`),
            textElement(tags.StudyInstanceUID, `1.2.826.0.1.3680043.10.1561.${number}`),
            textElement(tags.NumberOfStudyRelatedInstances, "3"),
          ]);
        }
      },
    },
  });
}

it("finds fifty thousand studies and gives them out without holding them in memory", async () => {
  await using folder = await temporaryFolder();
  const heaps: number[] = [];
  await using server = await startLargeArchive((given) => {
    if (LOOKED_AT.some((one) => one === given)) heaps.push(heapBytes());
  });
  await using archive = createDimseArchive({
    ...{ name: "large", retrieve: "get", associations: 1, quietMs: 1_000, silenceMs: 60_000 },
    address: { aeTitle: parseAeTitle("LARGE"), host: "127.0.0.1", port: server.port },
    callingAeTitle: parseAeTitle("RADFERRY"),
    expectations: createExpectations(systemClock),
    store: () => Promise.reject(new Error("nothing is retrieved")),
    clock: systemClock,
    logger: silentLogger,
  });
  const path = join(folder.path, "found.jsonl");
  const found = await createFoundFile(path);
  const governed = { whileOpen: <T>(work: (signal: AbortSignal) => Promise<T>, signal: AbortSignal) => work(signal) };
  const asking = { archive, governed, found, signal: neverAborted(), nowMs: 0 };
  const wish = checkWish({ archive: "large", queries: [{ keys: ["PatientID=PATIENT*"] }] });
  const summary = await askArchive(asking, wish, () => undefined);
  expect(summary).toMatchObject({ studies: STUDIES, instances: 3 * STUDIES, questions: 1, isComplete: true });

  const [early = 0, late = 0] = heaps;
  expect(late - early).toBeLessThan(GROWTH_BYTES);
  expect((await stat(path)).size).toBe(found.mark.sizeBytes);

  const last = await Array.fromAsync(found.after(STUDIES - 2));
  expect(last.map(({ number, patientId }) => [number, patientId])).toEqual([
    [50_000, "PATIENT-50000"],
    [50_001, "PATIENT-50001"],
  ]);
  const before = heapBytes();
  let given = 0;
  let grown = 0;
  for await (const piece of cohortFileOf(found.after(0))) {
    given += piece.split("\n").length - 1;
    if (given > 45_000 && grown === 0) grown = heapBytes() - before;
  }
  expect(given).toBe(STUDIES + 1);
  expect(grown).toBeLessThan(GROWTH_BYTES);
  await found.remove();
});
