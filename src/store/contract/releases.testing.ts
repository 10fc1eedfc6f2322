import { expect } from "vitest";
import type { AuditEvent } from "../../units/audit.ts";
import type { PseudonymLink } from "../records.ts";
import type { Store } from "../store.ts";
import { type ContractCases, claimed, each, finish, refusal, submit } from "./support.testing.ts";

const actor = { name: "sam", kind: "command line", role: "admin" } as const;
const released: AuditEvent = { event: "study-released", actor, outcome: "success" };
const release = { actor: "sam", reason: "seen", leaveOut: ["1.1.1"], allowTags: ["(0008,1030)"] };

async function quarantinedJob(store: Store): Promise<string> {
  await submit(store, [{ studyInstanceUid: "1.1" }]);
  const { lease, job } = await claimed(store, 1);
  await store.settle(lease, { state: "quarantined", attempts: 4 }, 1);
  return job.id;
}

export const releases: ContractCases = {
  "queues a quarantined job with its exceptions, and tells of it": async (store) => {
    const id = await quarantinedJob(store);
    expect(await store.releaseOf(id)).toBeUndefined();
    expect(await store.releaseJob(id, release, released, 2)).toBe(true);
    expect(await store.job(id)).toMatchObject({ state: "queued", stage: "deidentifying", code: undefined });
    expect(await store.releaseOf(id)).toEqual({ ...release, atMs: 2 });
    expect(await store.job(id), "it has all its tries again").toMatchObject({ state: "queued", attempts: 0 });
    const detail = { by: "sam", reason: "seen", leftOut: 1, allowedTags: "(0008,1030)" };
    expect(await store.events(id)).toEqual([{ atMs: 2, event: "released", detail }]);
    expect(await store.auditRecords({ after: 0, limit: 9 })).toHaveLength(1);
  },

  "keeps the exceptions while the run is taken up again, and of the run that ended": async (store) => {
    const id = await quarantinedJob(store);
    await store.releaseJob(id, release, released, 2);
    await claimed(store, 3);
    await store.releaseLeases(4);
    const { lease } = await claimed(store, 5);
    expect(await store.releaseOf(id)).toMatchObject({ reason: "seen" });
    await store.settle(lease, { state: "quarantined", attempts: 0 }, 6);
    await store.releaseJob(id, { ...release, reason: "again" }, released, 7);
    await finish(store, "delivered", 8);
    expect(await store.releaseOf(id)).toMatchObject({ reason: "again", atMs: 7 });
  },

  "forgets the exceptions when the job is begun anew": async (store) => {
    const id = await quarantinedJob(store);
    await store.releaseJob(id, release, released, 2);
    await finish(store, "failed", 3);
    await store.retryJobs({ job: id }, 4);
    expect(await store.releaseOf(id)).toBeUndefined();
    await finish(store, "quarantined", 5);
    await store.releaseJob(id, release, released, 6);
    await store.cancelJobs({ job: id }, 7);
    expect(await store.releaseOf(id)).toBeUndefined();
  },

  "fetches first what was asked for while the job was quarantined": async (store) => {
    await submit(store, [{ studyInstanceUid: "1.1", seriesInstanceUids: ["1.2"] }]);
    const id = await finish(store, "quarantined", 1);
    await submit(store, [{ studyInstanceUid: "1.1", seriesInstanceUids: ["1.3"] }]);
    await store.releaseJob(id, release, released, 2);
    expect(await store.job(id)).toMatchObject({ stage: "retrieving", seriesInstanceUids: ["1.2", "1.3"] });
  },

  ...each(
    [["delivered"], ["failed"], ["held"], ["excluded"]] as const,
    "releases nothing that is %s",
    async (store, state) => {
      await submit(store, [{ studyInstanceUid: "1.1" }]);
      const id = await finish(store, state, 1);
      expect(await store.releaseJob(id, release, released, 2)).toBe(false);
      expect(await store.job(id)).toMatchObject({ state });
      expect(await store.auditRecords({ after: 0, limit: 9 })).toEqual([]);
    },
  ),

  "knows no job of another name": async (store) => {
    await expect(store.releaseJob("job-x", release, released, 2)).rejects.toEqual(refusal("JOB_NOT_FOUND"));
  },

  "keeps what a reason is about until the instance goes through": async (store) => {
    await submit(store, [{ studyInstanceUid: "1.1" }]);
    const { lease, job } = await claimed(store);
    const one = { sopInstanceUid: "1" } as const;
    const detail = "name in (0028,3006)";
    const write = (...ledger: NonNullable<Parameters<Store["change"]>[1]["ledger"]>) =>
      store.change(lease, { ledger }, 1);
    await write(
      { kind: "received", ...one, seriesInstanceUid: "9" },
      { kind: "excluded", ...one, reason: "IDENTIFIER_FOUND", detail },
    );
    expect(await store.ledger(job.id)).toMatchObject([{ reason: "IDENTIFIER_FOUND", reasonDetail: detail }]);
    await write({ kind: "excluded", ...one, reason: "modality" });
    expect(await store.ledger(job.id)).toMatchObject([{ reason: "modality", reasonDetail: undefined }]);
    await write({ kind: "excluded", ...one, reason: "IDENTIFIER_FOUND", detail });
    await write({ kind: "deidentified", ...one, pseudoSopInstanceUid: "7", sha256: "aa" });
    expect(await store.ledger(job.id)).toMatchObject([
      { reason: undefined, reasonDetail: undefined, excludedAtMs: undefined, sha256: "aa" },
    ]);
    expect(await store.job(job.id)).toMatchObject({ received: 1, excluded: 0 });
    await write({ kind: "excluded", ...one, reason: "modality" });
    // There is no copy of it any more.
    const noCopy = { deidentifiedAtMs: undefined, pseudoSopInstanceUid: undefined, sha256: undefined };
    expect(await store.ledger(job.id)).toMatchObject([{ reason: "modality", excludedAtMs: 1, ...noCopy }]);
  },
};

const link = (facts: Partial<PseudonymLink>): PseudonymLink => ({
  kind: "patient",
  replacement: "P1",
  digest: "aa",
  ...facts,
});

export const pseudonymLinks: ContractCases = {
  "knows a replacement again by what it was made from": async (store) => {
    const links = [link({}), link({ kind: "study", replacement: "2.25.1", digest: "bb" })];
    for (let time = 0; time < 2; time += 1) expect(await store.linkPseudonyms("lung", "k1", links)).toEqual([]);
  },

  "tells when a replacement stands for another original, and writes nothing": async (store) => {
    await store.linkPseudonyms("lung", "k1", [link({})]);
    const other = link({ replacement: "P2" });
    expect(await store.linkPseudonyms("lung", "k1", [other, link({ digest: "cc" })])).toEqual(["patient"]);
    expect(await store.linkPseudonyms("lung", "k1", [{ ...other, digest: "dd" }])).toEqual([]);
    expect(await store.linkPseudonyms("lung", "k1", [link({})])).toEqual([]);
  },

  "tells of two originals within one study": async (store) => {
    expect(await store.linkPseudonyms("lung", "k1", [link({}), link({ digest: "cc" })])).toEqual(["patient"]);
  },

  "compares nothing between projects, keys and kinds": async (store) => {
    await store.linkPseudonyms("lung", "k1", [link({})]);
    const other = link({ digest: "cc" });
    expect(await store.linkPseudonyms("heart", "k1", [other])).toEqual([]);
    expect(await store.linkPseudonyms("lung", "k2", [other])).toEqual([]);
    expect(await store.linkPseudonyms("lung", "k1", [{ ...other, kind: "study" }])).toEqual([]);
  },
};
