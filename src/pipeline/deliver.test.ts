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
import type { DeidentifiedFile } from "../staging/deidentified-file.ts";
import type { JobChange } from "../store/records.ts";
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

/** The step on a study of patient P1; `optOut` is asked for the list as it is after what was journalled. */
async function deliver(
  optOut: (written: readonly JobChange[]) => ReadonlySet<string>,
  destinations = 1,
): Promise<Delivered> {
  const profile = await loadProfile("research");
  const key = projectKeyOf(Buffer.alloc(32, 4));
  const path = await put(join(folder, "0.dcm"), await part10Bytes(ctImage([text(0x00080018, INSTANCE)])));
  const staged = { path, sopInstanceUid: INSTANCE, seriesInstanceUid: "1.2.826.0.1.3680043.9.7.2", modality: "CT" };
  const written: JobChange[] = [];
  const removed: string[] = [];
  const held = new Set<string>();
  const read: (string | undefined)[] = [];
  const destination = (_: unknown, number: number) => {
    const own = new Set<string>();
    return {
      name: `store-${number}`,
      proof: "sha256",
      held: async () => own,
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
        ledger: async () => [{ ...staged, receivedAtMs: 1 }],
        releaseOf: async () => undefined,
        linkPseudonyms: async () => [],
        studyReport: async () => undefined,
        recordDelivery: async () => true,
      },
      projects: { get: () => ({ ...project, optOut: optOut(written) }) },
      staging: { list: async () => [staged] },
      outbox: { folderOf: () => join(folder, "outbox"), remove: async (job: string) => void removed.push(job) },
      clock: { nowMs: () => 0 },
      isWithdrawn: async () => false,
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
