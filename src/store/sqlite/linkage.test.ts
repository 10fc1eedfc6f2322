import { join } from "node:path";
import { expect, it } from "vitest";
import { temporaryFolder } from "../../../test/support/temporary-folder.ts";
import { silentLogger } from "../../units/logger.ts";
import { claimed, submit } from "../contract/support.testing.ts";
import { openSqliteStore } from "./open.ts";
import { remainsIn } from "./remains.testing.ts";

const STUDIES = 300;
const PLANTED = /(wrapped-key|sealed)-of-\w+/g;

it("leaves nothing of a destroyed linkage in any file of the store", async () => {
  await using folder = await temporaryFolder();
  await using store = await openSqliteStore({ path: join(folder.path, "radferry.db"), logger: silentLogger });
  await store.openLinkage("lung", Buffer.from("wrapped-key-of-lung"), 1);
  await submit(
    store,
    Array.from({ length: STUDIES }, (_, index) => ({ studyInstanceUid: `1.${index}` })),
  );
  for (let index = 0; index < STUDIES; index += 1) {
    const { lease } = await claimed(store);
    const sealed = Buffer.from(`sealed-of-${index}`.padEnd(index === 7 ? 20_000 : 100, "."));
    const link = { pseudonym: `${index}`, pseudoStudyInstanceUid: `2.25.${index}`, studyDigest: `${index}` };
    await store.change(lease, { link: { ...link, patientDigest: undefined, sealed } }, 2);
    await store.settle(lease, { state: "delivered", attempts: 0 }, 3);
  }
  expect((await remainsIn(folder.path, PLANTED)).size).toBe(STUDIES + 1);

  const actor = { name: "sam", kind: "command line", role: "admin" } as const;
  const audit = { event: "linkage-destroyed", actor, outcome: "success", project: "lung" } as const;
  expect(await store.destroyLinkage("lung", audit, 4)).toMatchObject({ links: STUDIES });
  expect(await store.emptyJournal()).toBe(true);
  expect(await remainsIn(folder.path, PLANTED)).toEqual(new Set());
});
