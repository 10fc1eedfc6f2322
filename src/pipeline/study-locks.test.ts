import { expect, it } from "vitest";
import { parseStudyInstanceUid } from "../dicom/uid.ts";
import { neverAborted } from "../units/abort.ts";
import { createSharedStudyLocks } from "./study-locks.ts";

const STUDY = parseStudyInstanceUid("1.2.3");
const signal = neverAborted();

/** Locks of a node on a store; `log` is what the store was asked. */
function scene({ isDown = (): boolean => false } = {}) {
  const log: string[] = [];
  const givingBack = Promise.withResolvers<void>();
  const locks = createSharedStudyLocks({
    async acquire() {
      log.push("asked");
      if (isDown()) throw new Error("store is down");
      return {
        giveBack: async () => {
          log.push("given back");
          await givingBack.promise;
        },
      };
    },
  } as unknown as Parameters<typeof createSharedStudyLocks>[0]);
  return { locks, log, givenBack: () => givingBack.resolve() };
}

it("has the next job of the node wait until the store knows that the study is free", async () => {
  const { locks, log, givenBack } = scene();
  const first = await locks.acquire(STUDY, signal);
  const second = locks.acquire(STUDY, signal);
  first[Symbol.dispose]();
  await new Promise(setImmediate);
  expect(log).toEqual(["asked", "given back"]);
  givenBack();
  await second;
  expect(log).toEqual(["asked", "given back", "asked"]);
});

it("holds no study back that the store could not be asked for", async () => {
  let isDown = true;
  const { locks } = scene({ isDown: () => isDown });
  await expect(locks.acquire(STUDY, signal)).rejects.toThrow("store is down");
  isDown = false;
  await expect(locks.acquire(STUDY, signal)).resolves.toBeDefined();
});
