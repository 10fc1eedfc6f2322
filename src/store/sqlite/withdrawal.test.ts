import { join } from "node:path";
import { expect, it } from "vitest";
import { temporaryFolder } from "../../../test/support/temporary-folder.ts";
import { claimed, submit } from "../contract/support.testing.ts";
import { openSqliteStore } from "./open.ts";
import { remainsIn } from "./remains.testing.ts";

const STUDIES = 100;
const PLANTED = /(?:PATIENT|ACCESSION)-\d+-OF-MANY/g;

it("leaves nothing of withdrawn patients in any file of the store, though rows were moved as they grew", async () => {
  await using folder = await temporaryFolder();
  await using store = await openSqliteStore({ path: join(folder.path, "radferry.db") });
  const patientOf = (index: number): string => `PATIENT-${index}-OF-MANY`;
  await submit(
    store,
    Array.from({ length: STUDIES }, (_, index) => ({
      studyInstanceUid: `1.${index}`,
      patientId: patientOf(index),
      accessionNumber: `ACCESSION-${index}-OF-MANY`,
    })),
  );
  for (let index = 0; index < STUDIES; index += 1) {
    const { lease } = await claimed(store);
    await store.change(
      lease,
      { pseudonym: `${index}`.padEnd(60, "9"), pseudoStudyInstanceUid: "2.25.".padEnd(64, "1") },
      2,
    );
    await store.settle(lease, { state: "delivered", attempts: 0 }, 3);
  }
  expect((await remainsIn(folder.path, PLANTED)).size).toBe(2 * STUDIES);

  const actor = { name: "sam", kind: "command line", role: "admin" } as const;
  const audit = { event: "patient-withdrawn", actor, outcome: "success", project: "lung" } as const;
  for (let index = 0; index < STUDIES; index += 1) {
    const wish = {
      project: "lung",
      digest: `d${index}`,
      keyId: "k1",
      patientId: patientOf(index),
      linkDigest: undefined,
    };
    const { number } = await store.withdrawPatient(wish, audit, 4);
    expect(await store.forgetWithdrawn(number, audit, 5)).toBe("done");
  }
  expect(await store.emptyJournal()).toBe(true);
  expect(await remainsIn(folder.path, PLANTED)).toEqual(new Set());
});
