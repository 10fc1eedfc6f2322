import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, it } from "vitest";
import { temporaryFolder } from "../../test/support/temporary-folder.ts";
import { loadSettings } from "../config/load-settings.ts";
import type { Settings } from "../config/settings.ts";
import type { PipelineServices } from "../pipeline/services.ts";
import type { AuditTrail } from "../units/audit.ts";
import { systemClock } from "../units/clock.ts";
import { silentLogger } from "../units/logger.ts";
import { startWork } from "./crew.ts";

async function settingsOf(home: string, associations: number): Promise<Settings> {
  const address = "PACS@127.0.0.1:104";
  const archive = { name: "pacs", kind: "dimse", address, availability: { associations } };
  await writeFile(join(home, "radferry.yaml"), JSON.stringify({ home, archives: [archive] }));
  return (await loadSettings({ environment: {}, cwd: home })).settings;
}

it("has workers for every association and four studies besides, more where a reload needs them, and none more once it drains", async () => {
  await using folder = await temporaryFolder();
  const claimers = new Set<string>();
  const store = { claim: async (worker: string) => void claimers.add(worker) };
  const services = { store, clock: systemClock, logger: silentLogger } as unknown as PipelineServices;
  const audit = { record: async () => {} } as unknown as AuditTrail;
  await using opened = new AsyncDisposableStack();
  const few = await settingsOf(folder.path, 2);
  const more = await settingsOf(folder.path, 3);
  const most = await settingsOf(folder.path, 4);
  const worker = { name: "worker", kind: "service" } as const;
  const crew = await startWork({ settings: few, node: { name: "one" }, worker, audit }, services, opened);
  crew.grow(more);
  const drained = crew.drain();
  crew.grow(most);
  await drained;
  const first = Array.from({ length: 6 }, (_, index) => `one/worker-${index + 1}`);
  expect([...claimers].sort()).toEqual([...first, "one/worker-2-1"].sort());
});
