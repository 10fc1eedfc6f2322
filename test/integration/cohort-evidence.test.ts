import { createHash, generateKeyPairSync } from "node:crypto";
import { mkdir, readdir, readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { readZipDirectory, type ZipEntry } from "../../src/network/zip/zip-directory.ts";
import { zipContents } from "../../src/network/zip/zip-stream.ts";
import { evidenceManifestSchema } from "../../src/operations/evidence/documents.ts";
import { verifyEvidence } from "../../src/operations/evidence/verify-evidence.ts";
import { syntheticStudy } from "../peers/synthetic-studies.ts";
import { type ApiSite, openApiSite } from "../support/api.ts";
import { runCli } from "../support/cli.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";

const small = { rows: 4, columns: 4, instancesPerSeries: 3 } as const;
const DELIVERED = syntheticStudy({ ...small, seed: 95, modality: "CT" });
const LEFT_OUT = syntheticStudy({ ...small, seed: 96, modality: "MR" });

const opened = new AsyncDisposableStack();
let site: ApiSite;
let folder = "";
let cohort = "";
let file = "";
let zip = Buffer.alloc(0);

beforeAll(async () => {
  folder = opened.use(await temporaryFolder()).path;
  await mkdir(join(folder, "archive"));
  for (const { sopInstanceUid, file: bytes } of [...DELIVERED.instances, ...LEFT_OUT.instances])
    await writeFile(join(folder, "archive", `${sopInstanceUid}.dcm`), bytes);
  await writeFile(join(folder, "key"), `${"1".repeat(64)}\n`, { mode: 0o600 });
  const filters = { modalities: ["CT"] };
  const lung = { name: "lung", archives: ["disk"], destinations: ["store"], profile: "research", filters };
  site = opened.use(
    await openApiSite({
      settings: {
        archives: [{ name: "disk", kind: "folder", path: join(folder, "archive") }],
        destinations: [{ name: "store", kind: "folder", path: join(folder, "store") }],
        projects: [{ ...lung, keyFile: join(folder, "key") }],
      },
    }),
  );
  const body = [
    "study_instance_uid,remark",
    `${DELIVERED.studyInstanceUid},Jabberwock Mimsy`,
    `${LEFT_OUT.studyInstanceUid},`,
    "1.2.3.4.5.6,",
    "1.2.*,",
    `${DELIVERED.studyInstanceUid},again`,
  ].join("\n");
  const submitted = await site.call("POST", "/cohorts?project=lung", { body, headers: { "content-type": "text/csv" } });
  cohort = String((submitted.json as { readonly cohort?: string }).cohort);
  const { operations } = site.service.gateway;
  await vi.waitFor(async () => expect(await operations.cohortStatus(cohort)).toMatchObject({ done: true }), 30_000);
  file = join(folder, "evidence.zip");
  zip = Buffer.concat(await Array.fromAsync(operations.exportEvidence(cohort)));
  await writeFile(file, zip);
});
afterAll(() => opened.disposeAsync());

async function entriesOf(bytes: Buffer): Promise<readonly (ZipEntry & { readonly content: Buffer })[]> {
  const source = { sizeBytes: bytes.length, readFrom: async (start: number) => bytes.subarray(start) };
  const entries = (await readZipDirectory(source)) ?? [];
  return entries.map((entry) => ({ ...entry, content: bytes.subarray(entry.start, entry.start + entry.sizeBytes) }));
}

const keyFile = () => join(site.service.folder, "home", "keys", "evidence.pem");

async function publicKeyFile(): Promise<string> {
  const entry = (await entriesOf(zip)).find(({ name }) => name === "public-key.pem");
  const path = join(folder, "public.pem");
  await writeFile(path, entry?.content ?? "");
  return path;
}

it("tells of each study what was asked, what came and what was delivered", async () => {
  const entries = await entriesOf(zip);
  const json = (name: string): Record<string, unknown> =>
    JSON.parse(entries.find((entry) => entry.name === name)?.content.toString() ?? "null");
  const manifest = evidenceManifestSchema.parse(json("manifest.json"));
  expect(manifest).toMatchObject({
    project: "lung",
    cohort,
    rows: 5,
    studies: 3,
    states: { delivered: 1, excluded: 1, "not-found": 1 },
    delivered: { studies: 1, files: 3 },
    software: { version: "1.2.3" },
  });
  const rows =
    entries
      .find(({ name }) => name === "rows/00001.jsonl")
      ?.content.toString()
      .trim()
      .split("\n") ?? [];
  expect(rows.map((line) => JSON.parse(line))).toMatchObject([
    { row: 1, refused: null },
    { row: 2, refused: null },
    { row: 3, refused: null },
    { row: 4, refused: "KEY_HAS_WILDCARD", studies: [] },
    { row: 5, refused: null },
  ]);
  const studies = entries.filter(({ name }) => name.startsWith("studies/")).map(({ name }) => json(name));
  const delivered = studies.find(({ state }) => state === "delivered");
  expect(delivered).toMatchObject({
    rows: [1, 5],
    verdict: "complete",
    instances: { expected: 3, received: 3, excluded: 0, delivered: 3 },
    profile: { name: "research" },
    report: { verify: { hits: 0 } },
    receipts: [{ destination: "store", state: "confirmed", instances: 3, proof: "sha256" }],
  });
  expect(manifest.profiles).toEqual([{ ...(delivered?.profile as object), studies: 2 }]);
  expect(studies).toContainEqual(
    expect.objectContaining({ state: "excluded", rows: [2], exclusions: { modality: 3 }, files: [] }),
  );
  expect(studies).toContainEqual(expect.objectContaining({ state: "not-found", rows: [3], report: null }));
});

it("has the SHA-256 of every file as it lies in the destination", async () => {
  const root = join(folder, "store", "lung");
  const names = (await readdir(root, { recursive: true })).filter((name) => name.endsWith(".dcm"));
  const there = await Promise.all(
    names.map(async (name) =>
      createHash("sha256")
        .update(await readFile(join(root, name)))
        .digest("hex"),
    ),
  );
  const texts = (await entriesOf(zip)).map(({ content }) => content.toString());
  const told = texts.flatMap((text) => [...text.matchAll(/"path":"[^"]+","sha256":"(\w+)"/g)].map(([, sum]) => sum));
  expect(told.sort()).toEqual(there.sort());
});

it("names nobody", () => {
  const text = zip.toString("latin1");
  const planted = [DELIVERED, LEFT_OUT].flatMap(({ identifiers, patientId, accessionNumber, instances }) => [
    ...identifiers,
    patientId,
    accessionNumber,
    ...instances.flatMap((one) => [one.studyInstanceUid, one.seriesInstanceUid, one.sopInstanceUid]),
  ]);
  expect(planted.length).toBeGreaterThan(20);
  for (const identifier of [...planted, "1.2.3.4.5.6", "Jabberwock", "Mimsy"]) expect(text).not.toContain(identifier);
});

it("is the same, but for its time and the trail, when it is made again", async () => {
  const again = Buffer.concat(await Array.fromAsync(site.service.gateway.operations.exportEvidence(cohort)));
  const signed = (entries: Awaited<ReturnType<typeof entriesOf>>) =>
    entries.filter(({ name }) => !name.startsWith("manifest.")).map(({ name, content }) => [name, content.toString()]);
  expect(signed(await entriesOf(again))).toEqual(signed(await entriesOf(zip)));
  const trail = await site.service.gateway.operations.readAudit({ limit: 100 });
  expect(trail.filter(({ event }) => event === "evidence-exported")).toHaveLength(2);
});

it("comes by the API, and keeps its key to itself", async () => {
  expect((await stat(keyFile())).mode & 0o777).toBe(0o600);
  const answer = await site.call("GET", `/cohorts/${cohort}/evidence`);
  expect([answer.status, answer.headers.get("content-type")]).toEqual([200, "application/zip"]);
  expect(answer.text).toContain("radferry-evidence");
  const viewer = await site.tokenOf("viewer", "viewer");
  expect((await site.call("GET", `/cohorts/${cohort}/evidence`, { token: viewer })).status).toBe(403);
});

describe("evidence verify", () => {
  it("says that a file is whole, and by whose key once that is given", async () => {
    const args = ["evidence", "verify", file];
    const whole = await runCli([...args, "--json"]);
    expect([whole.exitCode, JSON.parse(whole.stdout)]).toMatchObject([0, { ok: true, origin: "not-checked" }]);
    expect((await runCli(args)).stdout).toContain("by whom is not known");
    const proven = await runCli([...args, "--public-key", await publicKeyFile(), "--json"]);
    expect([proven.exitCode, JSON.parse(proven.stdout)]).toMatchObject([0, { ok: true, origin: "proven" }]);
  });

  it("knows the key of somebody else", async () => {
    const other = join(folder, "other.pem");
    await writeFile(other, generateKeyPairSync("ed25519").publicKey.export({ type: "spki", format: "pem" }));
    const { exitCode, stdout } = await runCli(["evidence", "verify", file, "--public-key", other, "--json"]);
    expect([exitCode, JSON.parse(stdout)]).toMatchObject([1, { ok: false, origin: "other" }]);
  });

  it("finds any changed byte, wherever it is", async () => {
    const changed = join(folder, "changed.zip");
    const step = Math.floor(zip.length / 60);
    const places = Array.from({ length: 60 }, (_, index) => index * step);
    for (const place of [...places, ...Array.from({ length: 60 }, (_, index) => zip.length - 1 - index)]) {
      const bytes = Buffer.from(zip);
      bytes.writeUInt8(bytes.readUInt8(place) ^ 0x10, place);
      await writeFile(changed, bytes);
      expect({ place, ok: (await verifyEvidence(changed)).ok }).toEqual({ place, ok: false });
    }
    await writeFile(changed, zip.subarray(0, zip.length - 5));
    expect((await verifyEvidence(changed)).findings).toEqual([{ problem: "not-evidence", entry: "" }]);
  });

  it("names what was removed, added or changed", async () => {
    const entries = await entriesOf(zip);
    const study = entries.find(({ name }) => name.startsWith("studies/"))?.name ?? "";
    const rewrite = async (change: (list: { name: string; bytes: Uint8Array }[]) => void) => {
      const list = entries.map(({ name, content }) => ({ name, bytes: Uint8Array.from(content) }));
      change(list);
      async function* all() {
        yield* list;
      }
      const path = join(folder, "rewritten.zip");
      await writeFile(path, await Array.fromAsync(zipContents(all())));
      return (await verifyEvidence(path)).findings;
    };
    expect(await rewrite(() => undefined)).toEqual([]);
    const at = entries.findIndex(({ name }) => name === study);
    expect(await rewrite((list) => list.splice(at, 1))).toEqual([{ problem: "removed", entry: study }]);
    expect(await rewrite((list) => list.push({ name: "more.txt", bytes: Buffer.from("x") }))).toEqual([
      { problem: "added", entry: "more.txt" },
    ]);
    expect(await rewrite((list) => list.splice(at, 1, { name: study, bytes: Buffer.from("{}") }))).toEqual([
      { problem: "changed", entry: study },
    ]);
    expect(await rewrite((list) => list.splice(-2, 1))).toMatchObject([{ problem: "signature" }]);
  });
});
