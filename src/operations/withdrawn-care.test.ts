import { join } from "node:path";
import { expect, it } from "vitest";
import { temporaryFolder } from "../../test/support/temporary-folder.ts";
import { openWithdrawnKey } from "../deid/pseudonyms/withdrawn-key.ts";
import type { LinkRecord } from "../store/linkage.ts";
import type { WithdrawnCopy } from "../store/withdrawals.ts";
import { neverAborted } from "../units/abort.ts";
import { removeCopy } from "./withdrawn-copy.ts";
import { withdrawnRows } from "./withdrawn-rows.ts";

it("knows withdrawn patients by the list's own key, and nobody by another", async () => {
  await using folder = await temporaryFolder();
  const keyFile = join(folder.path, "withdrawn.key");
  const key = await openWithdrawnKey(keyFile);
  const digests = [key.digest("lung", "P1")];
  const rowsOf = (keyId: string) =>
    withdrawnRows({ store: { withdrawnDigests: async () => ({ keyId, digests }) }, withdrawn: { keyFile } }, "lung");
  const isWithdrawn = await rowsOf(key.id);
  expect([isWithdrawn("P1"), isWithdrawn("P2")]).toEqual([true, false]);
  await expect(rowsOf("of another machine")).rejects.toMatchObject({ code: "WITHDRAWN_KEY_OTHER" });
});

it.each([
  [
    "leaves to a person a study that another patient became too",
    "d2",
    { state: "person", code: "REMOVAL_STUDY_SHARED" },
  ],
  ["removes what two studies of one patient became", "d1", { state: "absent", code: undefined }],
])("%s", async (_title, patientDigest, end) => {
  const copy: WithdrawnCopy = {
    ...{ number: 1, job: "j", pseudonym: "1001", pseudoStudyInstanceUid: "2.25.1", destination: "lake" },
    ...{ state: "waiting", code: undefined },
  };
  const linkOf = (digest: string) => ({ ...copy, patientDigest: digest }) as unknown as LinkRecord;
  const store = { listLinks: async () => [linkOf("d1"), linkOf(patientDigest)], studyReport: async () => undefined };
  const removal = { remains: async () => ({ ours: 0, others: 0 }), remove: async () => undefined };
  const context = {
    store,
    destinations: new Map([["lake", {}]]),
    inspectors: new Map(),
    removals: new Map([["lake", removal]]),
  } as never;
  expect(await removeCopy(context, "lung", copy, neverAborted())).toEqual(end);
});
