import { createHash } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { loadProfile } from "../deid/profiles/load-profile.ts";
import { projectKeyOf } from "../deid/pseudonyms/project-key.ts";
import { ctImage, part10Bytes, put, text } from "../deid/testing/objects.ts";
import { createStudyDeidentifier } from "../deid/workers/study-run.ts";
import type { StudyDelivery } from "../delivery/destination.ts";
import { GatewayError } from "../errors/gateway-error.ts";
import type { ErrorCode } from "../errors/registry.ts";
import type { DeidentifiedFile } from "../staging/deidentified-file.ts";
import type { DeliveryRecord, JobChange, LedgerEntry } from "../store/records.ts";
import { silentLogger } from "../units/logger.ts";
import { deidentifyAndDeliver } from "./deliver.ts";
import type { StepContext, StepResult } from "./step.ts";

let folder = "";
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "deliver-step-"));
});
afterEach(() => rm(folder, { recursive: true }));

const INSTANCE = "1.2.826.0.1.3680043.9.7.3.1";

interface Delivered {
  readonly result: StepResult;
  /** Instances that the destination was sent. */
  readonly sent: number;
  readonly removed: readonly string[];
  readonly deidentified: number;
  /** How each destination was to read, and the sum of what it read; undefined: each file by itself. */
  readonly read: readonly (string | undefined)[];
}

interface Circumstances {
  /** How each destination fails that does. */
  readonly failures?: readonly (ErrorCode | undefined)[];
  /** What the account has beside the study's one instance. */
  readonly accounted?: readonly Partial<LedgerEntry>[];
  readonly isOutboxStuck?: boolean;
  /** Whether the job is still ours when a delivery is written down. */
  readonly isOurs?: boolean;
  readonly recorded?: Partial<DeliveryRecord>[];
}

/** Destinations that hold what they were sent, or fail as told; and what all of them hold. */
function destinationsThat(failures: readonly (ErrorCode | undefined)[]) {
  const held = new Set<string>();
  const read: (string | undefined)[] = [];
  const destination = (_: unknown, number: number) => {
    const own = new Set<string>();
    return {
      name: `store-${number}`,
      proof: "sha256",
      async held() {
        const failure = failures[number];
        if (failure !== undefined) throw new GatewayError(failure);
        return own;
      },
      send: async ({ reading }: StudyDelivery, files: readonly DeidentifiedFile[]) => {
        for (const file of files) {
          own.add(file.sopInstanceUid);
          held.add(file.sopInstanceUid);
          const hash = createHash("sha256");
          for await (const chunk of reading?.read(file) ?? []) hash.update(chunk);
          read.push(reading && (hash.digest("hex") === file.sha256 ? "whole" : "damaged"));
        }
      },
      conclude: async () => undefined,
    };
  };
  return { held, read, destination };
}

/** The step on a study of patient P1; `optOut` is asked for the list as it is after what was journalled. */
async function deliver(
  optOut: (written: readonly JobChange[]) => ReadonlySet<string>,
  destinations = 1,
  { failures = [], accounted = [], isOutboxStuck = false, isOurs = true, recorded = [] }: Circumstances = {},
): Promise<Delivered> {
  const profile = await loadProfile("research");
  const key = projectKeyOf(Buffer.alloc(32, 4));
  const path = await put(join(folder, "0.dcm"), await part10Bytes(ctImage([text(0x00080018, INSTANCE)])));
  const staged = { path, sopInstanceUid: INSTANCE, seriesInstanceUid: "1.2.826.0.1.3680043.9.7.2", modality: "CT" };
  const written: JobChange[] = [];
  const removed: string[] = [];
  const removeCopies = async (job: string): Promise<void> => {
    if (isOutboxStuck) throw new GatewayError("OUTBOX_UNAVAILABLE");
    removed.push(job);
  };
  const { held, read, destination } = destinationsThat(failures);
  const project = {
    name: "trial",
    profile,
    keyId: key.id,
    archives: [],
    destinations: Array.from({ length: destinations }, destination),
    optOut: optOut([]),
    deidentifier: createStudyDeidentifier({ profile, key, filters: {} }),
  };
  const context = {
    services: {
      store: {
        ledger: async () => [{ ...staged, receivedAtMs: 1 }, ...accounted],
        releaseOf: async () => undefined,
        linkPseudonyms: async () => [],
        studyReport: async () => undefined,
        recordDelivery: async (_: unknown, delivery: DeliveryRecord) => recorded.push(delivery) > 0 && isOurs,
      },
      projects: { get: () => ({ ...project, optOut: optOut(written) }) },
      staging: { list: async () => [staged] },
      outbox: { folderOf: () => join(folder, "outbox"), remove: removeCopies },
      clock: { nowMs: () => 0 },
      isWithdrawn: async () => false,
      logger: silentLogger,
    },
    project,
    job: { id: "job-1", studyInstanceUid: "1.2.826.0.1.3680043.9.7.1", archive: "pacs", patientId: "P1" },
    signal: new AbortController().signal,
    write: async (change: JobChange) => void written.push(change),
  } as unknown as StepContext;
  const result = await deidentifyAndDeliver(context);
  const deidentified = written.filter(({ pseudonym }) => pseudonym !== undefined).length;
  return { result, sent: held.size, removed, deidentified, read };
}

it("has several destinations read together, and one alone by itself", async () => {
  expect((await deliver(() => nobody, 3)).read).toEqual(["whole", "whole", "whole"]);
  expect((await deliver(() => nobody)).read).toEqual([undefined]);
});

const nobody = new Set<string>();
const P1 = new Set(["P1"]);
const excluded = { kind: "end", state: "excluded", code: "PATIENT_OPTED_OUT" };

it("delivers what nobody opted out of", async () => {
  expect(await deliver(() => new Set(["P2"]))).toMatchObject({ result: { state: "delivered" }, sent: 1 });
});

it("delivers nothing of a patient who opted out since the study was located", async () => {
  const outcome = await deliver(() => P1);
  expect(outcome).toEqual({ result: excluded, sent: 0, removed: ["job-1"], deidentified: 0, read: [] });
});

it("delivers nothing of a patient who is on a list that was read again meanwhile", async () => {
  const outcome = await deliver((written) => (written.some(({ pseudonym }) => pseudonym !== undefined) ? P1 : nobody));
  expect(outcome).toEqual({ result: excluded, sent: 0, removed: ["job-1"], deidentified: 1, read: [] });
});

it("is tried again as long as one destination may take it yet, and tells of each how it went", async () => {
  const recorded: Partial<DeliveryRecord>[] = [];
  const failures = ["DELIVERY_REFUSED", "DESTINATION_UNAVAILABLE", undefined] as const;
  const delivering = deliver(() => nobody, 3, { failures, recorded });
  await expect(delivering).rejects.toMatchObject({ code: "DESTINATION_UNAVAILABLE", class: "transient" });
  const ends = recorded.filter(({ state }) => state !== "sending").map((end) => `${end.destination} ${end.code}`);
  expect(ends.sort()).toEqual(["store-0 DELIVERY_REFUSED", "store-1 DESTINATION_UNAVAILABLE", "store-2 undefined"]);
});

it("accounts for no instance that was left out, and counts none twice that a destination had before", async () => {
  const known = { deidentifiedAtMs: 2, seriesInstanceUid: "1.2.3" };
  const accounted = [
    { ...known, sopInstanceUid: "1.2.3.1" },
    { ...known, sopInstanceUid: "1.2.3.2", excludedAtMs: 3 },
    { ...known, sopInstanceUid: "1.2.3.3", deliveredAtMs: 3 },
  ];
  const { result } = await deliver(() => nobody, 1, { accounted });
  const ledger = ["1.2.3.1", "1.2.3.3"].map((sopInstanceUid) => ({ kind: "delivered", sopInstanceUid }));
  expect(result).toMatchObject({ change: { ledger, deliveredNow: { instances: 1 } } });
});

it("does not fail a study that is delivered for copies that stay", async () => {
  expect(await deliver(() => nobody, 1, { isOutboxStuck: true })).toMatchObject({ result: { state: "delivered" } });
});

it("sends nothing of a job that is somebody else's by now", async () => {
  const recorded: Partial<DeliveryRecord>[] = [];
  await expect(deliver(() => nobody, 1, { isOurs: false, recorded })).rejects.toMatchObject({ code: "LEASE_LOST" });
  expect(recorded.map(({ state }) => state)).toEqual(["sending"]);
});
