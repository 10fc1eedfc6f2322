import { join } from "node:path";
import { expect, it } from "vitest";
import { temporaryFolder } from "../../test/support/temporary-folder.ts";
import { openWithdrawnKey } from "../deid/pseudonyms/withdrawn-key.ts";
import { withdrawnRows } from "./withdrawn-rows.ts";

it("knows who was withdrawn whatever blanks stand around the patient or the project, as messages bring them", async () => {
  await using folder = await temporaryFolder();
  const keyFile = join(folder.path, "keys", "withdrawn.key");
  const key = await openWithdrawnKey(keyFile);
  const store = {
    withdrawnDigests: async (project: string) => ({
      keyId: key.id,
      digests: project === "lung" ? [key.digest("lung", "4711")] : [],
    }),
  };
  const context = { store, withdrawn: { keyFile } };
  const isWithdrawn = await withdrawnRows(context, " lung ");
  expect(["4711", "4711 ", "\t4711", "471", "4711 0"].filter(isWithdrawn)).toEqual(["4711", "4711 ", "\t4711"]);
  expect((await withdrawnRows(context, "heart"))("4711")).toBe(false);
});
