import { describe, expect, it } from "vitest";
import { bannedSyntax, bannedTexts } from "./banned.ts";
import { repositoryFiles, typeScriptFiles } from "./repository.ts";

/** Every file is parsed: that takes a busy machine its time. */
const WHOLE_REPOSITORY_MS = 180_000;

describe("this repository", () => {
  it("is written without what is banned", { timeout: WHOLE_REPOSITORY_MS }, () => {
    expect(typeScriptFiles("src", "web", "test", "scripts", "bench").flatMap(bannedSyntax)).toEqual([]);
  });

  it("holds no reminder, no switched-off check, no private path and no host of a registry", () => {
    expect(repositoryFiles().flatMap(bannedTexts)).toEqual([]);
  });
});

describe("the checks", () => {
  it.each([
    ["let a: any;", "unknown"],
    ["const a = b as any;", "unknown"],
    ["enum A { B }", "as const"],
    ["namespace A { export const b = 1; }", "a file"],
    ["export default 1;", "a named export"],
    ["class A { constructor(private readonly b: string) {} }", "a field of its own"],
    ["console.log(1);", "the Logger"],
    ["Math.random();", "the Random"],
    ["Date.now();", "the Clock"],
    ["new Date();", "clock.nowMs()"],
    ['import { declareDeidentified } from "../staging/deidentified-file.ts";', "a Deidentifier"],
    ["mkdir(path, { recursive: true });", "makeFolders"],
    ["it.skip('x', () => {});", "skipIf"],
    ["it.concurrent.only('x', () => {});", "skipIf"],
    ["describe.todo('x');", "skipIf"],
  ])("find %s and say what to use", (text, instead) => {
    expect(bannedSyntax({ path: "src/pipeline/a.ts", text })).toEqual([expect.stringContaining(instead)]);
  });

  it.each([
    ["src/pipeline/a.ts", "const text = 'as any'; // any enum\nnew Date(1); declare module 'x';"],
    ["scripts/a.ts", "console.log(1);"],
    ["src/units/a.ts", "Math.random(); Date.now();"],
    ["vitest.config.ts", "export default 1;"],
    ["src/deid/a.ts", 'import { declareDeidentified } from "../staging/deidentified-file.ts";'],
    ["src/deid/a.test.ts", "it.skipIf(true)('x', () => {}); Date.now();"],
  ])("let pass in %s what is allowed there", (path, text) => {
    expect(bannedSyntax({ path, text })).toEqual([]);
  });

  it.each([
    ["src/a.ts", "// @ts-ignore"],
    ["src/a.ts", "// biome-ignore lint: because"],
    ["src/a.ts", "// TODO: later"],
    ["docs/a.md", "see /work/main/src"],
    [".ci/run", "curl https://deb.debian.org/debian"],
    ["README.md", "In this session we wrote"],
    ["package-lock.json", '"resolved": "https://registry.npmjs.org/zod/-/zod-4.0.0.tgz"'],
  ])("find in %s the text %s", (path, text) => {
    expect(bannedTexts({ path, text })).toHaveLength(1);
  });

  it.each([
    ["docs/a.md", "a TODO list in prose, and src/work/main.ts, and https://example.org/work/of/others"],
    ["src/a.ts", "/var/lib/radferry"],
  ])("let pass in %s the text %s", (path, text) => {
    expect(bannedTexts({ path, text })).toEqual([]);
  });
});
