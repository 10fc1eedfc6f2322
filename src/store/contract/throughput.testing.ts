import { expect } from "vitest";
import { THUMBNAILS_KEPT } from "../thumbnails.ts";
import { type ContractCases, claimed, study, submit } from "./support.testing.ts";

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

export const throughput: ContractCases = {
  "counts what was delivered by hour and day of UTC, for each project": async (store) => {
    await submit(store, [{ studyInstanceUid: "1.1" }, { studyInstanceUid: "1.2" }]);
    await submit(store, [{ studyInstanceUid: "1.3", priority: 1 }], { project: "heart" });
    const delivered = { instances: 3, bytes: 500 };
    for (const atMs of [0, HOUR_MS - 1, HOUR_MS]) {
      const { lease } = await claimed(store, 0);
      await store.change(lease, { deliveredNow: delivered }, DAY_MS + atMs);
    }
    const one = { project: "lung", studies: 2, instances: 6, bytes: 1_000 };
    const other = { project: "heart", studies: 1, ...delivered };
    expect(await store.throughput("hour", 0)).toEqual([
      { startedAtMs: DAY_MS, ...one },
      { startedAtMs: DAY_MS + HOUR_MS, ...other },
    ]);
    expect(await store.throughput("hour", DAY_MS + 1)).toMatchObject([other]);
    expect(await store.throughput("day", DAY_MS)).toEqual([
      { startedAtMs: DAY_MS, ...other },
      { startedAtMs: DAY_MS, ...one },
    ]);
  },

  "forgets what is older than anybody is shown": async (store) => {
    await submit(store, [{ studyInstanceUid: "1.1" }]);
    const { lease } = await claimed(store);
    const delivered = { instances: 1, bytes: 1 };
    for (const atMs of [0, 48 * HOUR_MS, 49 * HOUR_MS]) await store.change(lease, { deliveredNow: delivered }, atMs);
    const hours = await store.throughput("hour", 0);
    expect(hours.map(({ startedAtMs }) => startedAtMs)).toEqual([48 * HOUR_MS, 49 * HOUR_MS]);
    expect(await store.throughput("day", 0)).toHaveLength(2);
    await store.change(lease, { deliveredNow: delivered }, 96 * HOUR_MS);
    expect(await store.throughput("hour", 0), "what is shown is there").toHaveLength(3);
  },
};

export const thumbnails: ContractCases = {
  "keeps one picture of a study, the newest": async (store) => {
    await submit(store, [{ studyInstanceUid: "1.1" }]);
    const { lease, job } = await claimed(store);
    expect(await store.thumbnail(job.id)).toBeUndefined();
    for (const thumbnail of [Uint8Array.of(1, 2), Uint8Array.of(3)]) await store.change(lease, { thumbnail }, 1);
    expect(await store.thumbnail(job.id)).toEqual(Uint8Array.of(3));
    await store.change(lease, { thumbnail: null }, 2);
    expect(await store.thumbnail(job.id)).toBeUndefined();
  },

  "forgets the picture with its job": async (store) => {
    await submit(store, [{ accessionNumber: "A1" }, { studyInstanceUid: "1.1" }]);
    const { lease, job } = await claimed(store);
    await store.change(lease, { thumbnail: Uint8Array.of(1) }, 1);
    expect(await store.located(lease, "vna", [study("1.1")], 2)).toBe("joined");
    expect(await store.thumbnail(job.id)).toBeUndefined();
  },

  "keeps the pictures of the last studies alone": async (store) => {
    await submit(store, [{ studyInstanceUid: "1.1" }, { studyInstanceUid: "1.2" }]);
    const [first, second] = [await claimed(store), await claimed(store)];
    await store.change(first.lease, { thumbnail: Uint8Array.of(1) }, 1);
    const thumbnail = Uint8Array.of(2);
    const renew = async (times: number) => {
      await Promise.all(Array.from({ length: times }, () => store.change(second.lease, { thumbnail }, 1)));
    };
    await renew(THUMBNAILS_KEPT - 1);
    expect(await store.thumbnail(first.job.id)).toEqual(Uint8Array.of(1));
    await renew(1);
    expect(await store.thumbnail(first.job.id)).toBeUndefined();
    expect(await store.thumbnail(second.job.id)).toEqual(thumbnail);
  },
};
