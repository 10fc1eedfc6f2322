import { chmod, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { temporaryFolder } from "../../../test/support/temporary-folder.ts";
import { loadPixlSecrets, pixlSecretsId } from "./pixl-secrets.ts";

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
beforeEach(async () => {
  folder = await temporaryFolder();
});
afterEach(() => folder[Symbol.asyncDispose]());

const FILES = { hashKeyFile: "key", projectSaltFile: "project", localSaltFile: "local" };

async function load(contents: Readonly<Record<string, string | Buffer>>, mode = 0o600) {
  const files = { key: "test-key\n", project: "a161577b49a9235a\r\n", local: "", ...contents };
  for (const [name, content] of Object.entries(files)) {
    await writeFile(join(folder.path, name), content);
    await chmod(join(folder.path, name), mode);
  }
  const path = (name: string): string => join(folder.path, name);
  return loadPixlSecrets({
    hashKeyFile: path(FILES.hashKeyFile),
    projectSaltFile: path(FILES.projectSaltFile),
    localSaltFile: path(FILES.localSaltFile),
  });
}

it("takes the texts without their line ends; the site's salt may be empty", async () => {
  const secrets = await load({});
  expect(secrets).toEqual({ hashKey: "test-key", projectSalt: "a161577b49a9235a", localSalt: "" });
  expect(pixlSecretsId(secrets)).toMatch(/^[0-9a-f]{16}$/);
  expect(pixlSecretsId({ ...secrets, projectSalt: "b" })).not.toBe(pixlSecretsId(secrets));
});

it.each([
  ["an empty key", { key: "\n" }],
  ["a key longer than BLAKE2b takes", { key: "k".repeat(65) }],
  ["an empty salt of the project", { project: "" }],
  ["two lines", { local: "a\nb\n" }],
  ["bytes that are no UTF-8", { project: Buffer.from([0xff, 0x41]) }],
])("refuses %s", async (_name, contents) => {
  await expect(load(contents)).rejects.toMatchObject({ code: "PIXL_SECRET_MALFORMED" });
});

it("refuses files that others can read, or that are not there", async () => {
  await expect(load({}, 0o644)).rejects.toMatchObject({ code: "SECRET_FILE_READABLE_BY_OTHERS" });
  const missing = { hashKeyFile: join(folder.path, "x"), projectSaltFile: "", localSaltFile: "" };
  await expect(loadPixlSecrets(missing)).rejects.toMatchObject({ code: "SECRET_FILE_UNREADABLE" });
  // Containers make a folder of a secret that is missing.
  await chmod(folder.path, 0o755);
  const asFolder = { ...missing, hashKeyFile: folder.path };
  await expect(loadPixlSecrets(asFolder)).rejects.toMatchObject({ code: "SECRET_FILE_UNREADABLE" });
});
