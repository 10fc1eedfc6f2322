import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createFoundFile } from "./found-studies.ts";

let folder = "";
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "radferry-found-"));
});
afterAll(() => rm(folder, { recursive: true }));

const row = (number: number, description: string) => [
  ...[`1.2.${number}`, `A${number}`, `P${number}`, "20260131", "CT"],
  ...[description, "3"],
];

describe("a file of found studies", () => {
  it.each([
    ["a line separator", "\u2028"],
    ["a paragraph separator", "\u2029"],
    ["a line feed", "\n"],
    ["a carriage return", "\r"],
    ["a next line", "\u0085"],
  ])("gives back a description with %s as the archive wrote it, and what is behind it", async (_, separator) => {
    const description = `Thorax${separator}nativ`;
    const found = await createFoundFile(join(folder, `${separator.charCodeAt(0)}`));
    for (const [number, text] of [description, "Kopf"].entries()) await found.add(row(number, text));
    await found.flush();
    const studies = await Array.fromAsync(found.after(0));
    await found.remove();
    expect(studies.map((study) => [study.number, study.description])).toEqual([
      [1, description],
      [2, "Kopf"],
    ]);
  });
});
