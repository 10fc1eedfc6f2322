import { execFile } from "node:child_process";
import { mkdir, readFile, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { expect, it } from "vitest";
import { startRad69Responder } from "../../src/network/ihe/responder/responder.ts";
import { someInstances, sourceInstanceOf } from "../../src/network/ihe/testing/instances.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";

const run = promisify(execFile);
const ROOT = fileURLToPath(new URL("../..", import.meta.url));

it("runs what the page on RAD-69 shows, as a program of its own", async () => {
  const [held] = someInstances(1);
  if (held === undefined) throw new Error("no instance");
  const page = await readFile(join(ROOT, "docs", "rad69.md"), "utf8");
  const [, code = ""] = /^```ts\n(.*?)^```$/ms.exec(page) ?? [];
  await using folder = await temporaryFolder();
  await mkdir(join(folder.path, "node_modules"));
  await symlink(ROOT, join(folder.path, "node_modules", "radferry"));
  const path = join(folder.path, "example.ts");
  await writeFile(
    path,
    code.replace('"1.2.3"', `"${held.studyInstanceUid}"`).replace('"1.2.3.1"', `"${held.seriesInstanceUid}"`),
  );
  const source = { find: () => Promise.resolve(sourceInstanceOf(held)) };
  await using responder = await startRad69Responder({ source });
  const environment = { ...process.env, RAD69_URL: responder.url, INSTANCE: held.sopInstanceUid };
  const { stdout } = await run(process.execPath, [path], { cwd: folder.path, env: environment });
  expect(stdout).toBe(`${held.transferSyntaxUid} ${held.file.length}\n${held.dataSet.size} elements\n`);
});
