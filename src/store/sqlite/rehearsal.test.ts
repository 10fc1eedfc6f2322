import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { expect, it } from "vitest";
import { temporaryFolder } from "../../../test/support/temporary-folder.ts";
import { refusal, submit } from "../contract/support.testing.ts";
import { statements } from "../sql/statements.ts";
import { openSqliteStore } from "./open.ts";
import { APPLICATION_ID } from "./schema.ts";

const actor = { name: "sam", kind: "command line", role: "admin" } as const;

/** Every file of a folder with its bytes. */
function contentOf(folder: string): Readonly<Record<string, string>> {
  return Object.fromEntries(
    readdirSync(folder).map((name) => [name, readFileSync(join(folder, name)).toString("base64")]),
  );
}

it("answers as the store would, and leaves not one byte changed", async () => {
  await using folder = await temporaryFolder();
  const path = join(folder.path, "radferry.db");
  {
    await using store = await openSqliteStore({ path });
    await submit(store, [{ studyInstanceUid: "1.2.3" }, { studyInstanceUid: "1.2.4" }]);
    await store.appendAudit({ event: "settings-reloaded", actor, outcome: "success" }, 1);
  }
  const before = contentOf(folder.path);
  {
    await using rehearsal = await openSqliteStore({ path, isRehearsal: true });
    const [cohort] = await rehearsal.listCohorts({ limit: 1, newestFirst: true });
    const id = cohort?.cohort ?? "";
    expect(await rehearsal.cancelJobs({ cohort: id }, 2)).toBe(2);
    await rehearsal.appendAudit({ event: "studies-cancelled", actor, outcome: "success" }, 2);
    expect(await rehearsal.cohortStatus(id)).toMatchObject({ states: { cancelled: 2 } });
    expect(await rehearsal.auditRecords({ after: 0, limit: 10 })).toHaveLength(2);
    await expect(rehearsal.cancelJobs({ cohort: "none" }, 2)).rejects.toEqual(refusal("COHORT_NOT_FOUND"));
    expect(await rehearsal.cohortStatus(id)).toMatchObject({ states: { cancelled: 2 } });
  }
  expect(contentOf(folder.path)).toEqual(before);
});

it("makes no file where there is none", async () => {
  await using folder = await temporaryFolder();
  {
    await using rehearsal = await openSqliteStore({ path: join(folder.path, "radferry.db"), isRehearsal: true });
    await submit(rehearsal, [{ studyInstanceUid: "1.2.3" }]);
    expect(await rehearsal.listCohorts({ limit: 10, newestFirst: false })).toHaveLength(1);
  }
  expect(readdirSync(folder.path)).toEqual([]);
});

it("brings an older store to this version for itself alone", async () => {
  await using folder = await temporaryFolder();
  const path = join(folder.path, "radferry.db");
  {
    using oldest = new DatabaseSync(path);
    oldest.exec(`PRAGMA application_id = ${APPLICATION_ID}; ${statements.createSchemaMigrations}`);
  }
  const before = contentOf(folder.path);
  {
    await using rehearsal = await openSqliteStore({ path, isRehearsal: true });
    await submit(rehearsal, [{ studyInstanceUid: "1.2.3" }]);
  }
  expect(contentOf(folder.path)).toEqual(before);
});

it("is not for a file of another program", async () => {
  await using folder = await temporaryFolder();
  const path = join(folder.path, "radferry.db");
  {
    using theirs = new DatabaseSync(path);
    theirs.exec("CREATE TABLE theirs (name TEXT)");
  }
  const opening = openSqliteStore({ path, isRehearsal: true });
  await expect(opening).rejects.toEqual(refusal("STORE_NOT_OURS"));
});
