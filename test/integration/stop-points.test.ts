import { setTimeout as delay } from "node:timers/promises";
import { expect, it } from "vitest";
import { freePort } from "../peers/free-port.ts";
import { startPracticeArchive } from "../peers/practice-archive.ts";
import { type SyntheticInstance, syntheticStudy } from "../peers/synthetic-studies.ts";
import { makeSite, PROJECT, type Site } from "../support/site.ts";

/** Questions that reach the archive, and instances that it sends, before the service is told to stop: while it finds, lists and fetches. */
const POINTS = [1, 2, 3, 5, 8];
const LOOK_MS = 100;
const MOST_LOOKS = 400;

/** More than are done by then: what runs when it is told to stop is brought to its end. */
const studies = Array.from({ length: 30 }, (_, index) =>
  syntheticStudy({ seed: 700 + index, modality: "CT", rows: 4, columns: 4, instancesPerSeries: 2 }),
);

async function untilDelivered(site: Site, cohort: string): Promise<void> {
  for (let look = 0; look < MOST_LOOKS; look += 1) {
    const { states } = (await site.run("cohort", "status", cohort)).document;
    if (typeof states === "object" && states !== null && "delivered" in states && states.delivered === studies.length)
      return;
    await delay(LOOK_MS);
  }
  throw new Error("not everything was delivered");
}

it("ends when it is told to stop, at whatever it is with its archive, and goes on where it was", async () => {
  let left = 0;
  let reached = Promise.withResolvers<void>();
  const count = (): void => {
    left -= 1;
    if (left === 0) reached.resolve();
  };
  async function* send({ bytes }: SyntheticInstance): AsyncGenerator<Uint8Array> {
    count();
    yield bytes;
  }
  const refuses = (): boolean => {
    count();
    return false;
  };
  const dicomPort = await freePort();
  const destinations = [`RADFERRY@127.0.0.1:${dicomPort}`];
  await using archive = await startPracticeArchive({ studies, destinations, faults: { send, refuses } });
  const archives = [
    { name: "practice", address: archive.address, retrieve: "move" as const, availability: { associations: 2 } },
  ];
  await using site = await makeSite({ dicomPort, archives });
  const rows = ["study_instance_uid", ...studies.map(({ studyInstanceUid }) => studyInstanceUid), ""];
  const file = await site.write("wanted.csv", rows.join("\n"));
  const { document } = await site.run("cohort", "submit", file, "--project", PROJECT);
  for (const point of POINTS) {
    left = point;
    reached = Promise.withResolvers<void>();
    await using _service = await site.serve();
    await reached.promise;
  }
  // Stopped with associations that nobody uses.
  await using _last = await site.serve();
  await untilDelivered(site, String(document.cohort));
  expect([...archive.timesSent.values()].length).toBe(studies.length * 2);
}, 170_000);
