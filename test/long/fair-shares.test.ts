import { join } from "node:path";
import { expect, it } from "vitest";
import { simulateShares } from "../../src/store/fair-shares.testing.ts";
import { openSqliteStore } from "../../src/store/sqlite/open.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";

/** The figures of docs/operating.md. */
it("serves ten cohorts of ten beside one of a hundred thousand", { timeout: 600_000 }, async () => {
  await using folder = await temporaryFolder();
  await using store = await openSqliteStore({ path: join(folder.path, "radferry.db") });
  const figures = await simulateShares(store, {
    large: 100_000,
    small: { cohorts: 10, rows: 10 },
    claimedBefore: 1_000,
    lastClaims: 2_000,
  });
  process.stdout.write(`${JSON.stringify(figures)}\n`);
  expect(figures).toEqual({ claims: 2_000, lastOfSmall: 1_109, meanOfSmall: 1_055 });
});
