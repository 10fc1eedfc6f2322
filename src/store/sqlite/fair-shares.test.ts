import { join } from "node:path";
import { expect, it } from "vitest";
import { temporaryFolder } from "../../../test/support/temporary-folder.ts";
import { simulateShares } from "../fair-shares.testing.ts";
import { openSqliteStore } from "./open.ts";

it("keeps ten cohorts of ten from waiting behind one of three thousand", async () => {
  await using folder = await temporaryFolder();
  await using store = await openSqliteStore({ path: join(folder.path, "radferry.db") });
  const { claims, lastOfSmall, meanOfSmall } = await simulateShares(store, {
    large: 3_000,
    small: { cohorts: 10, rows: 10 },
    claimedBefore: 7,
    lastClaims: 300,
  });
  // Ten rounds of eleven projects, of which the large one has the last turn: 7 + 10 * 11 - 1.
  expect({ claims, lastOfSmall, meanOfSmall }).toEqual({ claims: 300, lastOfSmall: 116, meanOfSmall: 62 });
});
