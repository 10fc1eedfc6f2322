import { readFileSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, it } from "vitest";
import type { Archive } from "../../src/archive/archive.ts";
import { BREAKER_POLICY } from "../../src/archive/availability/policy.ts";
import { parseWindow } from "../../src/archive/availability/window.ts";
import { createDicomWebArchive } from "../../src/archive/dicomweb/dicomweb-archive.ts";
import { createDimseArchive } from "../../src/archive/dimse/dimse-archive.ts";
import { createExpectations } from "../../src/archive/expectations.ts";
import type { InstanceTaker } from "../../src/archive/http/staging-store.ts";
import { createOrthancArchive } from "../../src/archive/orthanc/orthanc-archive.ts";
import { createRad69Archive } from "../../src/archive/rad69/rad69-archive.ts";
import { loadSettings } from "../../src/config/load-settings.ts";
import { parseAeTitle, parseDicomAddress } from "../../src/dicom/ae-title.ts";
import { openHttpClient } from "../../src/network/http-client/http-client.ts";
import { systemClock } from "../../src/units/clock.ts";
import { silentLogger } from "../../src/units/logger.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";

const page = readFileSync(join(import.meta.dirname, "../../docs/archives.md"), "utf8");
const examples = [...page.matchAll(/^```yaml\n(.*?)^```$/gms)].map(([, text = ""]) => text);

/** Nothing is asked of these: what they can is told before. */
function archives(): Readonly<Record<string, Archive>> {
  const client = openHttpClient({ baseUrl: "http://127.0.0.1:9" });
  const common = { name: "any", client, associations: 1, taker: {} as InstanceTaker };
  const dimse = (retrieve: "move" | "get") =>
    createDimseArchive({
      name: "any",
      address: parseDicomAddress("ANY@127.0.0.1:9"),
      retrieve,
      associations: 1,
      callingAeTitle: parseAeTitle("RADFERRY"),
      expectations: createExpectations(systemClock),
      store: () => Promise.reject(new Error("nothing is stored")),
      quietMs: 1,
      silenceMs: 1,
      clock: systemClock,
      logger: silentLogger,
    });
  const orthanc = createOrthancArchive(common);
  return {
    "`dimse`, `retrieve: move`": dimse("move"),
    "`dimse`, `retrieve: get`": dimse("get"),
    "`dicomweb`": createDicomWebArchive(common),
    "`orthanc`": orthanc,
    "`rad69`": createRad69Archive({ ...common, client: { http: client, url: "" }, searched: orthanc }),
  };
}

it.each(Object.entries(archives()))("the page says what %s can", async (kind, archive) => {
  await using _archive = archive;
  const { search, retrieves, connects } = archive.capabilities;
  const row = page.split("\n").find((line) => line.startsWith(`| ${kind} |`)) ?? "no row";
  expect(row.split(" | ").slice(2).join(" | ")).toBe(`${search} | ${retrieves} | ${connects} |`);
});

it("every example is read as it stands", async () => {
  expect(examples.length).toBeGreaterThan(4);
  const kinds = new Set<string>();
  for (const text of examples) {
    await using folder = await temporaryFolder();
    await writeFile(join(folder.path, "radferry.yaml"), text);
    const { settings } = await loadSettings({ environment: {}, cwd: folder.path });
    for (const { kind, availability } of settings.archives) {
      kinds.add(kind);
      for (const window of availability.windows ?? []) expect(parseWindow(window)).toBeDefined();
    }
  }
  for (const { kind } of Object.values(archives())) expect(kinds).toContain(kind);
});

it("the page tells the breaker's own figures", () => {
  const { failures, firstRestMs, longestRestMs } = BREAKER_POLICY;
  const said = `after ${failures} failures in a row the archive rests for ${firstRestMs / 1_000} seconds`;
  expect(page).toContain(said);
  expect(page).toContain(`up to ${longestRestMs / 60_000} minutes`);
});
