import { describe, expect, it } from "vitest";
import { temporaryFolder } from "../../test/support/temporary-folder.ts";
import type { Archive, Rehearsal } from "../archive/archive.ts";
import { parseAeTitle } from "../dicom/ae-title.ts";
import { neverAborted } from "../units/abort.ts";
import { systemClock } from "../units/clock.ts";
import type { CertificateFacts, OperationsContext } from "./context.ts";
import { examine } from "./doctor.ts";
import type { DoctorCheck, DoctorDocument } from "./documents.ts";

const ours = { aeTitle: parseAeTitle("RADFERRY"), host: "127.0.0.1", port: 11112 };
const remote = { aeTitle: parseAeTitle("VNA"), host: "vna.hospital", port: 104 };

function archiveThat(rehearsal: Rehearsal): Archive {
  const answers = { name: "vna", kind: "dimse", associations: 1, echo: async () => {}, findStudies: async () => [] };
  return { ...answers, rehearseRetrieval: async () => rehearsal } as unknown as Archive;
}

const sent: Rehearsal = { kind: "tried", status: 0xb000, completed: 0, failed: 1 };
const SOON_MS = Date.now() + 29 * 86_400_000;
const LATER_MS = Date.now() + 31 * 86_400_000;
const tlsListener = {
  port: 2_762,
  only: false,
  asksForCertificate: false,
  certificate: async () => ({ oursEndMs: LATER_MS }),
};

const neverAsked = (): Promise<never> => Promise.reject(new Error("never asked for"));

/** An archive that is spoken to by TLS, with certificates that end then. */
function certificates(ends: CertificateFacts): Partial<OperationsContext> {
  const facts = {
    archive: archiveThat(sent),
    governed: { ...archiveThat(sent), contents: neverAsked, whileOpen: neverAsked },
    availability: { windows: undefined, timeZone: undefined, studiesPerMinute: undefined, bytesPerSecond: undefined },
    endpoint: "VNA@vna",
    dimse: { address: remote, retrieve: "move" },
    certificates: async () => ends,
  } as const;
  return { archives: new Map([["vna", facts]]) };
}

async function examined(
  home: string,
  change: Partial<OperationsContext>,
  rehearsal: Rehearsal,
  onCheck?: (made: DoctorCheck) => void,
): Promise<DoctorDocument> {
  const context = {
    home,
    clock: systemClock,
    disk: { freeBytes: async () => 100e9 },
    staging: { path: home, reserveBytes: 20e9 },
    ownAddress: { ...ours, host: "0.0.0.0" },
    archives: new Map([["vna", { archive: archiveThat(rehearsal), dimse: { address: remote, retrieve: "move" } }]]),
    destinations: new Map(),
    listen: async () => undefined,
    ...change,
  } as unknown as OperationsContext;
  return await examine(context, neverAborted(), onCheck);
}

async function checksOf(...of: Parameters<typeof examined>): Promise<readonly DoctorCheck[]> {
  return (await examined(...of)).checks;
}

describe("doctor", () => {
  it.each(["0.0.0.0", "::"])("has an archive's administrator enter this machine, and not %s", async (host) => {
    await using home = await temporaryFolder();
    const { letters } = await examined(home.path, { ownAddress: { ...ours, host } }, sent);
    expect(letters).toMatchObject([{ line: expect.stringContaining(" at <this machine's address>, port ") }]);
  });

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
    ["a certificate that lasts is in order", "TLS with", certificates({ theirsEndMs: LATER_MS }), sent, { ok: true }],
    [
      "a certificate of ours that ends soon is seen before it does",
      "TLS with",
      certificates({ theirsEndMs: LATER_MS, oursEndMs: SOON_MS }),
      sent,
      {
        ok: false,
        code: "CERTIFICATE_EXPIRES_SOON",
        message: expect.stringContaining(new Date(SOON_MS).toISOString()),
      },
    ],
    [
      "a certificate of our listener that has ended is seen",
      "our listener's certificate",
      { tlsListener: { ...tlsListener, certificate: async () => ({ oursEndMs: Date.now() - 1 }) } },
      sent,
      { ok: false, code: "CERTIFICATE_EXPIRED" },
    ],
    [
      "an archive spoken to by TLS is told of the port with TLS",
      "listener can be reached",
      { ...certificates({ theirsEndMs: LATER_MS }), tlsListener },
      sent,
      { message: "listens on 0.0.0.0:2762 with TLS" },
    ],
    [
      "an archive spoken to by TLS that sends without is named",
      "listener can be reached",
      certificates({ theirsEndMs: LATER_MS }),
      sent,
      { ok: true, message: expect.stringContaining("can be read on the way") },
    ],
    [
      "any archive is told of the port with TLS where there is no other",
      "listener can be reached",
      { tlsListener: { ...tlsListener, only: true } },
      sent,
      { message: "listens on 0.0.0.0:2762 with TLS" },
    ],
    [
      "an archive without TLS is told of the plain port",
      "listener can be reached",
      { tlsListener },
      sent,
      { message: "listens on 0.0.0.0:11112" },
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

  it("tells of each check as it is made", async () => {
    await using folder = await temporaryFolder();
    const told: DoctorCheck[] = [];
    const toldBefore = { name: "store", check: async () => `${told.length}` };
    const destinations = new Map([["store", toldBefore]]);
    const checks = await checksOf(folder.path, { destinations }, sent, (made) => void told.push(made));
    expect(checks.at(-1)).toMatchObject({ check: "destination store takes studies", message: `${checks.length - 1}` });
    expect(told).toEqual(checks);
  });
});
