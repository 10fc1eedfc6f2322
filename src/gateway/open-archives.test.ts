import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, it } from "vitest";
import { temporaryFolder } from "../../test/support/temporary-folder.ts";
import { loadSettings } from "../config/load-settings.ts";
import { createManualClock } from "../units/manual-clock.testing.ts";
import { createPaces } from "./open-archives.ts";

const SETTINGS = `
archives:
  - { name: pacs, kind: dimse, address: "PACS@127.0.0.1:104" }
  - { name: vna, kind: dimse, address: "VNA@127.0.0.1:104" }
`;

/** An instance that comes from this AE title. */
const from = (callingAeTitle: string) => ({
  ...{ callingAeTitle, calledAeTitle: "RADFERRY", remoteAddress: "127.0.0.1" },
  ...{ sopClassUid: "1.2", sopInstanceUid: "1.2.3", transferSyntaxUid: "1.2.840.10008.1.2" },
});

it("an archive's bytes are held back by whatever AE title it turns out to send with", async () => {
  await using folder = await temporaryFolder();
  await writeFile(join(folder.path, "radferry.yaml"), SETTINGS);
  const { settings } = await loadSettings({ environment: {}, cwd: folder.path });
  const paces = createPaces(settings, createManualClock());
  expect(paces.ofSender(from("PACS"))).toBe(paces.of("pacs"));
  expect(paces.ofSender(from("GATEWAY"))).toBe(undefined);
  paces.noteSender(from("GATEWAY"), "vna");
  expect(paces.ofSender(from("GATEWAY"))).toBe(paces.of("vna"));
  expect(["PACS", "GATEWAY", "MODALITY"].map((title) => paces.archiveOf(from(title)))).toEqual([
    "pacs",
    "vna",
    undefined,
  ]);
  // Two archives that have one AE title: nobody can tell which of them it is.
  paces.noteSender(from("GATEWAY"), "pacs");
  expect(paces.archiveOf(from("GATEWAY"))).toBe(undefined);
  paces.noteSender(from("GATEWAY"), "vna");
  expect(paces.ofSender(from("GATEWAY"))).toBe(paces.of("vna"));
  for (let count = 0; count < 2_000; count += 1) paces.noteSender(from(`AE${count}`), "vna");
  expect(paces.ofSender(from("AE1999"))).toBe(undefined);
  expect(paces.ofSender(from("PACS"))).toBe(paces.of("pacs"));
});
