import { expect } from "vitest";
import type { AuditEvent } from "../../units/audit.ts";
import type { NewLink } from "../linkage.ts";
import type { Store } from "../store.ts";
import { type ContractCases, claimed, refusal, submit } from "./support.testing.ts";

const KEY = Buffer.from("wrapped key");
const audit: AuditEvent = {
  event: "linkage-destroyed",
  actor: { name: "sam", kind: "command line", role: "admin" },
  outcome: "success",
  project: "lung",
};

function linkOf(patient: string, pseudonym: string): NewLink {
  const sealed = Buffer.from(`sealed ${patient}`);
  const digests = { studyDigest: `study of ${patient}`, patientDigest: `digest of ${patient}` };
  return { pseudonym, pseudoStudyInstanceUid: `2.25.${pseudonym}`, ...digests, sealed };
}

/** A job of the project for each link, in turn. */
async function keep(store: Store, links: readonly NewLink[], project = "lung"): Promise<void> {
  for (const [index, link] of links.entries()) {
    await submit(store, [{ studyInstanceUid: `1.${index + 1}` }], { project });
    const { lease } = await claimed(store);
    await store.change(lease, { link }, 5);
    await store.settle(lease, { state: "delivered", attempts: 0 }, 6);
  }
}

const all = { after: 0, limit: 10 };

export const linkage: ContractCases = {
  "keeps the first key it is given, for each project": async (store) => {
    expect(await store.linkageOf("lung")).toBeUndefined();
    const first = await store.openLinkage("lung", KEY, 1);
    expect(first).toEqual({ kind: "kept", wrappedKey: Uint8Array.from(KEY) });
    expect(await store.openLinkage("lung", Buffer.from("other"), 2)).toEqual(first);
    expect(await store.openLinkage("heart", Buffer.from("other"), 2)).not.toEqual(first);
    expect(await store.linkageOf("lung")).toEqual({ links: 0, proof: undefined });
  },

  "finds links by pseudonym and by patient, page by page": async (store) => {
    await store.openLinkage("lung", KEY, 1);
    await keep(store, [linkOf("P1", "1001"), linkOf("P2", "1002")]);
    const [first, second, ...more] = await store.listLinks("lung", {}, all);
    expect(more).toEqual([]);
    expect(first).toMatchObject({ pseudonym: "1001", pseudoStudyInstanceUid: "2.25.1001", atMs: 5 });
    expect(await store.job(first?.job ?? "")).toMatchObject({ studyInstanceUid: "1.1" });
    expect(await store.listLinks("lung", { pseudonym: "1002" }, all)).toEqual([second]);
    expect(await store.listLinks("lung", { patientDigest: "digest of P1" }, all)).toEqual([first]);
    expect(await store.listLinks("lung", { patientDigest: "P1" }, all)).toEqual([]);
    expect(await store.listLinks("lung", {}, { after: 0, limit: 1 })).toEqual([first]);
    expect(await store.listLinks("lung", {}, { after: first?.number ?? 0, limit: 1 })).toEqual([second]);
    await store.openLinkage("heart", KEY, 1);
    for (const filter of [{}, { pseudonym: "1002" }, { patientDigest: "digest of P1" }])
      expect(await store.listLinks("heart", filter, all)).toEqual([]);
  },

  "keeps one link of a study that is de-identified again, and both when its pseudonym is another": async (store) => {
    await store.openLinkage("lung", KEY, 1);
    await submit(store, [{ studyInstanceUid: "1.1" }]);
    const { lease } = await claimed(store);
    await store.change(lease, { link: linkOf("P1", "1001") }, 2);
    await store.change(lease, { link: linkOf("P1", "1001") }, 3);
    expect(await store.listLinks("lung", {}, all)).toMatchObject([{ pseudonym: "1001", atMs: 3 }]);
    await store.change(lease, { link: linkOf("P1", "1002") }, 4);
    expect(await store.linkageOf("lung")).toMatchObject({ links: 2 });
  },

  "keeps none where linkage was not begun": async (store) => {
    await keep(store, [linkOf("P1", "1001")]);
    expect(await store.listLinks("lung", {}, all)).toEqual([]);
    await expect(store.destroyLinkage("lung", audit, 7)).rejects.toEqual(refusal("LINKAGE_NOT_KEPT"));
  },

  "destroys the links of one project for good, and proves it in the audit trail": async (store) => {
    await store.openLinkage("lung", KEY, 1);
    await store.openLinkage("heart", KEY, 1);
    await keep(store, [linkOf("P1", "1001"), linkOf("P2", "1002")]);
    await keep(store, [linkOf("P1", "1001")], "heart");
    const proof = await store.destroyLinkage("lung", audit, 7);
    // printf '1001\n2.25.1001\nsealed P11002\n2.25.1002\nsealed P2' | sha256sum
    const digest = "07f67918effc14f426f32b73fdd20a103ab850bad2838650ba195025393c6d50";
    expect(proof).toEqual({ links: 2, digest, atMs: 7 });
    expect(await store.listLinks("lung", {}, all)).toEqual([]);
    expect(await store.listLinks("heart", {}, all)).toHaveLength(1);
    expect(await store.openLinkage("heart", KEY, 8)).toMatchObject({ kind: "kept" });
    expect(await store.openLinkage("lung", KEY, 8)).toEqual({ kind: "destroyed", proof });
    expect(await store.linkageOf("lung")).toEqual({ links: 0, proof });
    expect(await store.destroyLinkage("lung", audit, 9)).toEqual(proof);
    const records = await store.auditRecords({ after: 0, limit: 10 });
    expect(records.map(({ record }) => JSON.parse(record))).toMatchObject([
      { event: "linkage-destroyed", atMs: 7, detail: { links: 2, digest } },
    ]);
    expect(await store.emptyJournal()).toBe(true);
  },

  "keeps no link for a job that was under way when the linkage was destroyed": async (store) => {
    await store.openLinkage("lung", KEY, 1);
    await submit(store, [{ studyInstanceUid: "1.1" }]);
    const { lease } = await claimed(store);
    await store.destroyLinkage("lung", audit, 7);
    expect(await store.change(lease, { link: linkOf("P1", "1001") }, 8)).toBe(true);
    expect(await store.listLinks("lung", {}, all)).toEqual([]);
  },
};
