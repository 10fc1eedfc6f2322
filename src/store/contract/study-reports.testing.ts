import { expect } from "vitest";
import type { Store } from "../store.ts";
import { type ContractCases, claimed, submit } from "./support.testing.ts";

async function textOf(store: Store, job: string, which: "last" | "delivered"): Promise<string | undefined> {
  const kept = await store.studyReport(job, which);
  return kept && Buffer.from(kept.packed).toString();
}

export const studyReports: ContractCases = {
  "keeps what was delivered until destinations confirm something newer": async (store) => {
    await submit(store, [{ studyInstanceUid: "1.1" }]);
    const { lease, job } = await claimed(store);
    expect(await store.studyReport(job.id, "last")).toBeUndefined();
    await store.change(lease, { report: Buffer.from("first") }, 1);
    expect([await textOf(store, job.id, "last"), await textOf(store, job.id, "delivered")]).toEqual([
      "first",
      undefined,
    ]);
    await store.change(lease, { report: "delivered" }, 2);
    expect(await store.studyReport(job.id, "delivered")).toMatchObject({ atMs: 2 });
    await store.change(lease, { report: Buffer.from("second") }, 3);
    expect([await textOf(store, job.id, "last"), await textOf(store, job.id, "delivered")]).toEqual([
      "second",
      "first",
    ]);
    await store.change(lease, { report: "delivered" }, 4);
    expect([await textOf(store, job.id, "last"), await textOf(store, job.id, "delivered")]).toEqual([
      "second",
      "second",
    ]);
    // A confirmation that is written again changes nothing.
    await store.change(lease, { report: "delivered" }, 5);
    expect(await store.studyReport(job.id, "delivered")).toMatchObject({ atMs: 4 });
  },

  "sums what archives gave by modality": async (store) => {
    await submit(store, [{ studyInstanceUid: "1.1" }]);
    const { lease } = await claimed(store);
    const ct = { modality: "CT", instances: 2, sizeBytes: 1_000 };
    // An archive that is not known yet gave nothing.
    await store.change(lease, { volumes: [ct] }, 1);
    await store.change(lease, { archive: "vna" }, 1);
    await store.change(lease, { volumes: [ct, { modality: "SR", instances: 1, sizeBytes: 7 }] }, 1);
    await store.change(lease, { volumes: [{ ...ct, sizeBytes: 500 }] }, 1);
    expect(await store.archiveVolumes()).toEqual([
      { archive: "vna", modality: "CT", instances: 4, sizeBytes: 1_500 },
      { archive: "vna", modality: "SR", instances: 1, sizeBytes: 7 },
    ]);
  },

  "keeps the proof of a receipt": async (store) => {
    await submit(store, [{ studyInstanceUid: "1.1" }]);
    const { lease, job } = await claimed(store);
    const delivery = { destination: "vault", instances: 4, code: undefined };
    await store.recordDelivery(lease, { ...delivery, state: "confirmed", proof: "sha256" }, 1);
    expect(await store.deliveries(job.id)).toMatchObject([{ proof: "sha256" }]);
    await store.recordDelivery(lease, { ...delivery, state: "sending" }, 2);
    expect(await store.deliveries(job.id)).toMatchObject([{ proof: undefined }]);
  },
};
