import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { expect, it } from "vitest";
import { temporaryFolder } from "../../../test/support/temporary-folder.ts";
import { newCondition } from "../../store/archive-condition.ts";
import { orAborted } from "../../units/abort.ts";
import { contextOf } from "../context.testing.ts";
import type { ArchiveFacts, OperationsContext, ProjectFacts } from "../context.ts";
import { searchCohort } from "./search.ts";

it("leaves no file of a search that is refused as too many run", async () => {
  await using folder = await temporaryFolder();
  const usual = contextOf({ role: "operator", told: [], store: { archiveCondition: async () => newCondition("vna") } });
  await using inquiries = usual.inquiries;
  const facts = {
    ...{ archive: { name: "vna", associations: 4 }, governed: { whileOpen: async () => undefined } },
    ...{ availability: { windows: undefined, timeZone: "UTC" }, endpoint: "VNA@127.0.0.1:9" },
  };
  const context: OperationsContext = {
    ...usual,
    home: folder.path,
    archives: new Map([["vna", facts as unknown as ArchiveFacts]]),
    projects: new Map([["lung", { name: "lung", archives: ["vna"] } as unknown as ProjectFacts]]),
  };
  for (let running = 0; running < 4; running += 1)
    inquiries.beginPlan({ project: "lung", total: 1 }, (_, signal) => orAborted(new Promise(() => undefined), signal));
  const wish = { project: "lung", archive: "vna", queries: [{ keys: ["PatientID=7"] }] };
  await expect(searchCohort(context, wish)).rejects.toMatchObject({ code: "INQUIRIES_EXHAUSTED" });
  expect(await readdir(join(folder.path, "searches"))).toEqual([]);
});
