import { expect, it } from "vitest";
import { temporaryFolder } from "../../../../test/support/temporary-folder.ts";
import { openSqliteStore } from "../../../store/sqlite/open.ts";
import { neverAborted } from "../../../units/abort.ts";
import { serialise } from "../messages/serialise.ts";
import { forgetWithdrawn } from "./forget-withdrawn.ts";

const MESSAGE = {
  ...{ mrn: "", accessionNumber: "A1", studyUid: "1.2.3", seriesUid: "", studyDate: "2020-01-01" },
  ...{ procedureOccurrenceId: 1, projectName: "lung", extractGeneratedTimestamp: "2020-01-01T00:00:00" },
};
const QUEUE = "imaging-secondary";

it("removes the finished messages of who was withdrawn from their project, and no others", async () => {
  await using folder = await temporaryFolder();
  await using store = await openSqliteStore({ path: `${folder.path}/radferry.db` });
  const add = (body: Uint8Array) => store.addInboxMessage({ queue: QUEUE, body, priority: 1 }, 0);
  const finish = async (state: "done" | "failed") => {
    const claimed = await store.claimInboxMessage(QUEUE, 60_000, 0);
    if (claimed === undefined) throw new Error("nothing was due");
    const failed = { state: "failed", code: "STUDY_NOT_FOUND", attempts: 1 } as const;
    await store.settleInboxMessage(claimed.lease, state === "failed" ? failed : { state, attempts: 1 }, 1);
  };
  for (const [message, state] of [
    [{ ...MESSAGE, mrn: "GONE" }, "done"],
    [{ ...MESSAGE, mrn: "GONE", accessionNumber: "A2" }, "failed"],
    [{ ...MESSAGE, mrn: "GONE", projectName: "heart" }, "done"],
    [{ ...MESSAGE, mrn: "STAYS" }, "done"],
  ] as const) {
    await add(serialise(message));
    await finish(state);
  }
  await add(Buffer.from("not JSON, GONE"));
  await finish("failed");
  // More than are looked at together.
  for (let number = 0; number < 600; number += 1) {
    await add(serialise({ ...MESSAGE, mrn: number === 599 ? "GONE" : "STAYS", accessionNumber: `B${number}` }));
    await finish("done");
  }
  await add(serialise({ ...MESSAGE, mrn: "GONE", accessionNumber: "waits" }));
  let journals = 0;
  const withdrawn = {
    any: async () => true,
    ofProject: async (project: string) => (mrn: string) => project === "lung" && mrn === "GONE",
    async onRemoved() {
      journals += 1;
    },
  };
  await forgetWithdrawn(store, withdrawn, neverAborted());
  const left = async (state: "done" | "failed" | "waiting") =>
    (await store.listInboxMessages({ queue: QUEUE, state, limit: 1_000 })).map(({ body }) =>
      Buffer.from(body).toString(),
    );
  expect((await left("done")).filter((body) => body.includes("GONE"))).toEqual([expect.stringContaining('"heart"')]);
  expect((await left("done")).length).toBe(601);
  expect(await left("failed")).toEqual(["not JSON, GONE"]);
  expect((await left("waiting")).length).toBe(1);
  expect(journals).toBe(1);
});

it("looks at nothing where nobody was withdrawn", async () => {
  const never = () => Promise.reject(new Error("nobody was withdrawn"));
  const store = { finishedInboxMessages: never, removeInboxMessages: never };
  const nobody = { any: async () => false, ofProject: never, onRemoved: never };
  await expect(forgetWithdrawn(store, nobody, neverAborted())).resolves.toBeUndefined();
});
