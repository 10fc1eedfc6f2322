import { expect, it } from "vitest";
import { createFlipImaging } from "../../src/flip.ts";
import { PROJECT, QUERY, startFlipSite } from "../peers/flip-site.ts";
import { accessionsOf, fillCohort } from "../support/flip-cohort.ts";

const accessions = accessionsOf(10_000);

it("finds the buckets of 10,000 studies in as many requests as XNAT has pages", async () => {
  await using site = await startFlipSite({ accessions });
  fillCohort(site.xnat.state, PROJECT, accessions);
  await using flip = createFlipImaging(site.environment);
  await flip.getImportStatus(PROJECT, QUERY);
  const start = site.xnat.requests.length;
  const status = await flip.getImportStatus(PROJECT, QUERY);
  const asked = site.xnat.requests.slice(start);
  const counts = Object.fromEntries(Object.entries(status).map(([list, { length }]) => [list, length]));
  expect(counts).toEqual({ successful: 4_000, queued: 2_500, processing: 1_500, failed: 1_000, queueFailed: 1_000 });
  // Pages of 1,000: three of the queue, three of the history (the third may be empty), and one request for each listing.
  expect(asked.filter((each) => each.includes("/import/queue"))).toHaveLength(3);
  expect(asked.filter((each) => each.includes("/import/history"))).toHaveLength(3);
  expect(asked).toHaveLength(10);
});
