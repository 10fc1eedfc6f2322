import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, it } from "vitest";
import { temporaryFolder } from "../../../test/support/temporary-folder.ts";
import type { LinkageKeeping, LinkRecord, NewLink } from "../../store/linkage.ts";
import { projectKeyOf } from "../pseudonyms/project-key.ts";
import { openLinkage } from "./open-linkage.ts";
import { newWrappedKey, openSealer } from "./sealing.ts";

const key = projectKeyOf(Buffer.alloc(32, 1));
const wrapped = newWrappedKey(key, "lung");
const sealer = openSealer(key, "lung", wrapped);
const identity = { patientId: "Müller-1", studyInstanceUid: "1.2.3", accessionNumber: "A1" };
const made = { pseudonym: "7F3A", pseudoStudyInstanceUid: "2.25.1" };
const kept = (link: NewLink): LinkRecord => ({ ...link, number: 1, job: "job-1", atMs: 1 });
const unreadable = expect.objectContaining({ code: "LINKAGE_UNREADABLE" });

it("opens what it sealed, also after a restart", () => {
  const link = sealer.seal(identity, made);
  expect(openSealer(key, "lung", wrapped).open(kept(link))).toEqual(identity);
  expect(link.patientDigest).toBe(sealer.patientDigest("Müller-1"));
});

it("shows nothing of a person in what is kept, and seals the same twice differently", () => {
  const [one, two] = [sealer.seal(identity, made), sealer.seal(identity, made)];
  const shown = JSON.stringify({ ...one, sealed: Buffer.from(one.sealed).toString("latin1") });
  for (const value of Object.values(identity)) expect(shown).not.toContain(value);
  expect(two.sealed).not.toEqual(one.sealed);
  expect([two.studyDigest, two.patientDigest]).toEqual([one.studyDigest, one.patientDigest]);
  expect(sealer.seal({ ...identity, patientId: "" }, made).patientDigest).toBeUndefined();
});

it("opens no link that was changed, or put in the place of another one's", () => {
  const link = kept(sealer.seal(identity, made));
  const flipped = Uint8Array.from(link.sealed, (byte, index) => (index === 40 ? byte ^ 1 : byte));
  const changes: readonly Partial<LinkRecord>[] = [
    { sealed: flipped },
    { sealed: link.sealed.subarray(0, 20) },
    { sealed: new Uint8Array() },
    { pseudonym: "other" },
    { pseudoStudyInstanceUid: "2.25.2" },
  ];
  for (const change of changes) expect(() => sealer.open({ ...link, ...change })).toThrow(unreadable);
});

it("opens no key with another key file, or in another project", () => {
  const other = projectKeyOf(Buffer.alloc(32, 2));
  expect(() => openSealer(other, "lung", wrapped)).toThrow(unreadable);
  expect(() => openSealer(key, "heart", wrapped)).toThrow(unreadable);
});

it("refuses the key that pseudonyms are made with, and tells what was destroyed", async () => {
  await using folder = await temporaryFolder();
  const path = join(folder.path, "linkage.key");
  await writeFile(path, `${"01".repeat(32)}\n`, { mode: 0o600 });
  const proof = { links: 2, digest: "d", atMs: 1 };
  const answering = (keeping: LinkageKeeping) => ({ openLinkage: async () => keeping });
  const keeping = answering({ kind: "kept", wrappedKey: wrapped });
  const file = { project: "lung", path, keyId: "0123abcd" };
  expect(await openLinkage(keeping, file, 1)).toMatchObject({ kind: "kept" });
  expect(await openLinkage(answering({ kind: "destroyed", proof }), file, 1)).toEqual({ kind: "destroyed", proof });
  for (const keyId of [key.id, `${key.id}-ffff`])
    await expect(openLinkage(keeping, { ...file, keyId }, 1)).rejects.toMatchObject({ code: "LINKAGE_KEY_SHARED" });
});
