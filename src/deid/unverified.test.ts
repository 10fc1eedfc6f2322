import { glob, mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { neverAborted } from "../units/abort.ts";
import { createDeidentifier, createUnverifiedComposer } from "./deidentifier.ts";
import { loadProfile } from "./profiles/load-profile.ts";
import { projectKeyOf } from "./pseudonyms/project-key.ts";
import { ctImage, part10Bytes, put } from "./testing/objects.ts";

let folder = "";
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "deid-unverified-"));
});
afterEach(() => rm(folder, { recursive: true }));

it.each([false, true])("composes the bytes that are verified elsewhere (blocking: %s)", async (blocking) => {
  const path = await put(join(folder, "in.dcm"), await part10Bytes(ctImage()));
  const options = { profile: loadProfile("research"), key: projectKeyOf(Buffer.alloc(32, 7)), filters: {}, blocking };
  const common = { path, participantId: undefined, seriesInstanceCount: 1 };
  const verified = join(folder, "out", "verified.dcm");
  const unverified = join(folder, "out", "unverified.dcm");
  const outcome = await createDeidentifier(options).instance({ ...common, outputPath: verified }, neverAborted());
  expect(outcome).toMatchObject({ kind: "deidentified" });
  const sizeBytes = await createUnverifiedComposer(options).compose(
    { ...common, outputPath: unverified },
    neverAborted(),
  );
  const bytes = await readFile(unverified);
  expect(bytes.length).toBe(sizeBytes);
  expect(bytes.equals(await readFile(verified))).toBe(true);
});

it("is out of the program's reach", async () => {
  const source = join(import.meta.dirname, "..");
  const leading: string[] = [];
  for await (const path of glob("**/*.ts", { cwd: source })) {
    if (path.endsWith(".test.ts") || path === join("deid", "deidentifier.ts")) continue;
    if ((await readFile(join(source, path), "utf8")).includes("createUnverifiedComposer")) leading.push(path);
  }
  expect(leading).toEqual([]);
});
