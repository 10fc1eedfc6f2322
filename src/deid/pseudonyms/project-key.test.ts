import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, expect, it } from "vitest";
import { generateProjectKey, loadProjectKey } from "./project-key.ts";

let folder = "";
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "key-"));
});
afterEach(() => rm(folder, { recursive: true }));

it("makes a key that only its owner can read, and loads the same key again", async () => {
  const path = join(folder, "lung.key");
  const made = await generateProjectKey(path);
  expect((await stat(path)).mode & 0o777).toBe(0o600);
  expect(await readFile(path, "latin1")).toMatch(/^[0-9a-f]{64}\n$/);
  const loaded = await loadProjectKey(path);
  expect(loaded.id).toBe(made.id);
  expect(loaded.prf("uid", "1.2.3")).toEqual(made.prf("uid", "1.2.3"));
});

it("never overwrites a key", async () => {
  const path = join(folder, "lung.key");
  await generateProjectKey(path);
  const before = await readFile(path);
  await expect(generateProjectKey(path)).rejects.toMatchObject({ code: "KEY_FILE_EXISTS" });
  expect(await readFile(path)).toEqual(before);
});

it("leaves nothing where there is no room for it: the next try would take it for a key", async () => {
  const path = join(folder, "lung.key");
  const module = fileURLToPath(new URL("project-key.ts", import.meta.url));
  const script = `const { generateProjectKey } = await import(${JSON.stringify(module)});
    await generateProjectKey(${JSON.stringify(path)}).catch(({ code }) => console.log(code));`;
  // No file may grow, and whoever tries is told instead of killed.
  const limited = ["-c", `trap '' XFSZ; ulimit -f 0; exec "$0" --input-type=module -e "$1"`, process.execPath, script];
  expect(spawnSync("sh", limited, { encoding: "utf8" }).stdout.trim()).toBe("EFBIG");
  expect(await readdir(folder)).toEqual([]);
});

it("refuses a folder, which containers make of a secret that is missing", async () => {
  const path = join(folder, "lung.key");
  for (const mode of [0o755, 0o700]) {
    await mkdir(path, { recursive: true });
    await chmod(path, mode);
    await expect(loadProjectKey(path)).rejects.toMatchObject({ code: "KEY_FILE_MISSING" });
  }
});

it("shows its id, not its secret, when printed", async () => {
  const key = await generateProjectKey(join(folder, "k"));
  expect(JSON.stringify(key)).toBe(JSON.stringify({ id: key.id }));
});

it.each([
  ["one that is not there", undefined, 0o600, "KEY_FILE_MISSING"],
  ["one that others can read", `${"a".repeat(64)}\n`, 0o640, "KEY_FILE_READABLE_BY_OTHERS"],
  ["one that is short", `${"a".repeat(63)}\n`, 0o600, "KEY_FILE_MALFORMED"],
  ["one with more behind it", `${"a".repeat(64)}\n# old`, 0o600, "KEY_FILE_MALFORMED"],
  ["one that is no hexadecimal", `${"g".repeat(64)}\n`, 0o600, "KEY_FILE_MALFORMED"],
])("refuses %s", async (_name, content, mode, code) => {
  const path = join(folder, "k");
  if (content !== undefined) {
    await writeFile(path, content);
    await chmod(path, mode);
  }
  await expect(loadProjectKey(path)).rejects.toMatchObject({ code });
});

it("is named by the first 8 digits of a digest that does not give it away", async () => {
  const path = join(folder, "k");
  await writeFile(path, `${"0f".repeat(32)}\n`, { mode: 0o600 });
  const digest = createHash("sha256").update("radferry-key-id").update(Buffer.alloc(32, 0x0f)).digest("hex");
  expect((await loadProjectKey(path)).id).toBe(digest.slice(0, 8));
});
