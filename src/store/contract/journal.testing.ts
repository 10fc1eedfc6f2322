import { expect } from "vitest";
import type { Store } from "../store.ts";
import { type ContractCases, claimed, refusal, submit } from "./support.testing.ts";

export const journal: ContractCases = {
  "writes what is named, clears what is null, and leaves the rest": async (store) => {
    await submit(store, [{ studyInstanceUid: "1.1" }]);
    const { lease, job } = await claimed(store);
    await store.change(lease, { stage: "verifying", archive: "vna", verdict: "partial", expected: 3 }, 1);
    await store.change(lease, { verdict: null, expected: null, pseudonym: "p", code: "STORE_FULL" }, 2);
    expect(await store.job(job.id)).toEqual({
      ...job,
      stage: "verifying",
      archive: "vna",
      verdict: undefined,
      expected: undefined,
      pseudonym: "p",
      code: "STORE_FULL",
    });
  },

  "keeps a timeline in order": async (store) => {
    await submit(store, [{ studyInstanceUid: "1.1" }]);
    const { lease, job } = await claimed(store);
    await store.change(lease, { events: [{ event: "located", detail: { archive: "vna", studies: 1 } }] }, 5);
    const change = { events: [{ event: "delivered", detail: { whole: true } }] };
    await store.settle(lease, { state: "delivered", attempts: 0, change }, 5);
    expect(await store.events(job.id)).toEqual([
      { atMs: 5, event: "located", detail: { archive: "vna", studies: 1 } },
      { atMs: 5, event: "delivered", detail: { whole: true } },
    ]);
    expect(await store.job(job.id)).toMatchObject({ state: "delivered", finishedAtMs: 5 });
  },

  "counts an instance once however often a step is done again": async (store) => {
    await submit(store, [{ studyInstanceUid: "1.1" }]);
    const { lease, job } = await claimed(store);
    const instances = ["1", "2", "3"].map((sopInstanceUid) => ({ sopInstanceUid, seriesInstanceUid: "9" }));
    for (const nowMs of [1, 2]) {
      await store.change(lease, { ledger: instances.map((one) => ({ kind: "expected", ...one })) }, nowMs);
      await store.change(lease, { ledger: instances.map((one) => ({ kind: "received", ...one })) }, nowMs);
      const ledger = [
        { kind: "deidentified", sopInstanceUid: "1", pseudoSopInstanceUid: "7", sha256: "aa" },
        { kind: "deidentified", sopInstanceUid: "2", pseudoSopInstanceUid: "8", sha256: "bb" },
        { kind: "excluded", sopInstanceUid: "3", reason: "modality" },
        { kind: "delivered", sopInstanceUid: "1" },
        { kind: "delivered", sopInstanceUid: "2" },
      ] as const;
      await store.change(lease, { ledger, expected: 3 }, nowMs);
    }
    expect(await store.job(job.id)).toMatchObject({ expected: 3, received: 3, excluded: 1, delivered: 2 });
    const [first, , third] = await store.ledger(job.id);
    expect(first).toEqual({
      sopInstanceUid: "1",
      seriesInstanceUid: "9",
      expectedAtMs: 1,
      receivedAtMs: 1,
      excludedAtMs: undefined,
      reason: undefined,
      reasonDetail: undefined,
      deidentifiedAtMs: 1,
      pseudoSopInstanceUid: "7",
      sha256: "aa",
      deliveredAtMs: 1,
    });
    expect(third).toMatchObject({ excludedAtMs: 1, reason: "modality", deliveredAtMs: undefined });
  },

  "never counts an instance as both delivered and left out": async (store) => {
    await submit(store, [{ studyInstanceUid: "1.1" }]);
    const { lease, job } = await claimed(store);
    const one = { sopInstanceUid: "1" } as const;
    const through = { kind: "deidentified", ...one, pseudoSopInstanceUid: "7", sha256: "aa" } as const;
    const write = (...ledger: NonNullable<Parameters<Store["change"]>[1]["ledger"]>) =>
      store.change(lease, { ledger }, 1);
    await write({ kind: "received", ...one, seriesInstanceUid: "9" }, { kind: "excluded", ...one, reason: "x" });
    expect(await store.job(job.id)).toMatchObject({ excluded: 1, delivered: 0 });
    await write(through, { kind: "delivered", ...one });
    expect(await store.job(job.id)).toMatchObject({ excluded: 0, delivered: 1 });
    await write({ kind: "excluded", ...one, reason: "x" });
    expect(await store.job(job.id)).toMatchObject({ received: 1, excluded: 0, delivered: 1 });
  },

  "keeps one account of each destination": async (store) => {
    await submit(store, [{ studyInstanceUid: "1.1" }]);
    const { lease, job } = await claimed(store);
    await store.recordDelivery(lease, { destination: "b", state: "sending", instances: 0, code: undefined }, 1);
    await store.recordDelivery(lease, { destination: "a", state: "failed", instances: 0, code: "STORE_FULL" }, 2);
    await store.recordDelivery(lease, { destination: "b", state: "confirmed", instances: 4, code: undefined }, 3);
    expect(await store.deliveries(job.id)).toEqual([
      { destination: "a", state: "failed", instances: 0, code: "STORE_FULL", changedAtMs: 2 },
      { destination: "b", state: "confirmed", instances: 4, code: undefined, changedAtMs: 3 },
    ]);
  },

  "refuses to say anything of an instance that it does not know, and keeps nothing of that change": async (store) => {
    await submit(store, [{ studyInstanceUid: "1.1" }]);
    const { lease, job } = await claimed(store);
    const ledger = [
      { kind: "received", sopInstanceUid: "1", seriesInstanceUid: "9" },
      { kind: "delivered", sopInstanceUid: "2" },
    ] as const;
    await expect(store.change(lease, { ledger }, 1)).rejects.toEqual(refusal("INTERNAL"));
    expect(await store.ledger(job.id)).toEqual([]);
    expect(await store.job(job.id)).toMatchObject({ received: 0 });
  },
};
