import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, it } from "vitest";
import { temporaryFolder } from "../../../test/support/temporary-folder.ts";
import { createAuditWitness } from "./audit-witness.ts";

const head = { count: 123_456, hash: "c0ffee00".repeat(8) };

it("reads how far the trail goes as it was written", async () => {
  await using folder = await temporaryFolder();
  const path = join(folder.path, "radferry.db");
  expect(createAuditWitness(path).read()).toBeUndefined();
  createAuditWitness(path).write(head);
  expect(createAuditWitness(path).read()).toEqual(head);
});

it("takes a file that it cannot understand for none, not for the head of an empty trail", async () => {
  await using folder = await temporaryFolder();
  const path = join(folder.path, "radferry.db");
  for (const text of ["", "5\n", `5 ${"0".repeat(63)}\n`, `-5 ${"0".repeat(64)}\n`, `5 ${"0".repeat(64)}\n6`]) {
    await writeFile(`${path}.audit-head`, text);
    expect(createAuditWitness(path).read(), JSON.stringify(text)).toBeUndefined();
  }
});

it("stays behind on a disk that refuses, stops nothing, and is written when the disk takes it", async () => {
  await using folder = await temporaryFolder();
  const witness = createAuditWitness(join(folder.path, "later", "radferry.db"));
  witness.isBehind = true;
  witness.write(head);
  expect({ isBehind: witness.isBehind, head: witness.read() }).toEqual({ isBehind: true, head: undefined });
  await mkdir(join(folder.path, "later"));
  witness.write(head);
  expect({ isBehind: witness.isBehind, head: witness.read() }).toEqual({ isBehind: false, head });
});
