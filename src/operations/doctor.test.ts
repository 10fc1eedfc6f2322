import { describe, expect, it } from "vitest";
import { temporaryFolder } from "../../test/support/temporary-folder.ts";
import type { Archive, Rehearsal } from "../archive/archive.ts";
import { parseAeTitle } from "../dicom/ae-title.ts";
import { neverAborted } from "../units/abort.ts";
import { systemClock } from "../units/clock.ts";
import type { OperationsContext } from "./context.ts";
import { examine } from "./doctor.ts";
import type { DoctorCheck } from "./documents.ts";

const ours = { aeTitle: parseAeTitle("RADFERRY"), host: "127.0.0.1", port: 11112 };
const remote = { aeTitle: parseAeTitle("VNA"), host: "vna.hospital", port: 104 };

function archiveThat(rehearsal: Rehearsal): Archive {
  const answers = { name: "vna", kind: "dimse", associations: 1, echo: async () => {}, findStudies: async () => [] };
  return { ...answers, rehearseRetrieval: async () => rehearsal } as unknown as Archive;
}

async function checksOf(
  home: string,
  change: Partial<OperationsContext>,
  rehearsal: Rehearsal,
): Promise<readonly DoctorCheck[]> {
  const context = {
    home,
    clock: systemClock,
    disk: { freeBytes: async () => 100e9 },
    staging: { path: home, reserveBytes: 20e9 },
    ownAddress: { ...ours, host: "0.0.0.0" },
    archives: new Map([["vna", { archive: archiveThat(rehearsal), address: remote, retrieve: "move" }]]),
    destinations: new Map(),
    listen: async () => undefined,
    ...change,
  } as unknown as OperationsContext;
  return (await examine(context, neverAborted())).checks;
}

const sent: Rehearsal = { kind: "tried", status: 0xb000, completed: 0, failed: 1 };

describe("doctor", () => {
  it.each<[string, string, Partial<OperationsContext>, Rehearsal, Partial<DoctorCheck>]>([
    [
      "a remote archive cannot send to loopback",
      "listener",
      { ownAddress: ours },
      sent,
      { ok: false, code: "LISTENER_ON_LOOPBACK" },
    ],
    ["an open listener is within reach", "listener", {}, sent, { ok: true }],
    ["an instance that was tried proves the destination", "move destination", {}, sent, { ok: true }],
    [
      "an unknown destination is named",
      "move destination",
      {},
      { kind: "tried", status: 0xa801, completed: 0, failed: 0 },
      { ok: false, code: "MOVE_DESTINATION_UNKNOWN" },
    ],
    ["an empty archive proves nothing", "move destination", {}, { kind: "nothing-to-try" }, { ok: true }],
    [
      "a clock far from the disk's is wrong",
      "clock",
      { clock: { ...systemClock, nowMs: () => Date.UTC(2031, 0, 1) } },
      sent,
      { ok: false, code: "CLOCK_WRONG" },
    ],
    [
      "a full disk is seen",
      "free space",
      { disk: { freeBytes: async () => 1e9 } },
      sent,
      { ok: false, code: "STAGING_FULL" },
    ],
    [
      "a home that is no folder is seen",
      "home",
      { home: "/dev/null/home" },
      sent,
      { ok: false, code: "FOLDER_NOT_WRITABLE" },
    ],
  ])("%s", async (_, name, change, rehearsal, expected) => {
    await using folder = await temporaryFolder();
    const checks = await checksOf(folder.path, change, rehearsal);
    expect(checks.find(({ check }) => check.includes(name))).toMatchObject(expected);
  });
});
