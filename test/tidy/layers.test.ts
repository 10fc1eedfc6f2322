import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { deadFiles, LAYERS, layerProblems, strayPackages, webProblems } from "./layers.ts";
import { ROOT, repositoryFiles, type SourceFile } from "./repository.ts";

const code = repositoryFiles().filter(({ path }) => /^(?:src|scripts|web\/src)\/.*(?<!\.d)\.tsx?$/.test(path));
const packageFile: { readonly dependencies: Readonly<Record<string, string>> } = JSON.parse(
  readFileSync(join(ROOT, "package.json"), "utf8"),
);

function file(path: string, text = ""): SourceFile {
  return { path, text };
}

describe("this repository", () => {
  it("imports from the layers above only", () => {
    expect(layerProblems(code)).toEqual([]);
  });

  it("shares nothing but types between the gateway and its dashboard", () => {
    expect(webProblems(code)).toEqual([]);
  });

  it("has no file in src and web that nothing leads to", () => {
    expect(deadFiles(code)).toEqual([]);
  });

  it("needs no development package to run", () => {
    expect(strayPackages(code, new Set(Object.keys(packageFile.dependencies)))).toEqual([]);
  });

  it("names every layer that exists in docs/ARCHITECTURE.md", () => {
    const page = readFileSync(join(ROOT, "docs/ARCHITECTURE.md"), "utf8");
    const folders = LAYERS.filter((layer) => code.some(({ path }) => path.startsWith(`src/${layer}/`)));
    expect(folders.filter((layer) => !page.includes(`\`${layer.split("/").at(-1)}/\``))).toEqual([]);
  });
});

describe("the checks", () => {
  it.each([
    [
      "upward",
      file("src/dicom/a.ts", 'import { b } from "../network/dimse/b.ts";'),
      "imports upward from network/dimse",
    ],
    [
      "upward for a type",
      file("src/deid/a.ts", 'import type { B } from "../pipeline/b.ts";'),
      "imports upward from pipeline",
    ],
    ["upward in a type", file("src/errors/a.ts", 'type A = import("../units/b.ts").B;'), "imports upward from units"],
    ["upward at run time", file("src/units/a.ts", 'await import("../dicom/b.ts");'), "imports upward from dicom"],
    ["upward by a re-export", file("src/units/a.ts", 'export * from "../dicom/b.ts";'), "imports upward from dicom"],
    ["sideways", file("src/delivery/a.ts", 'import { b } from "../deid/b.ts";'), "imports sideways from deid"],
    [
      "upward within network",
      file("src/network/upper-layer/a.ts", 'import "../dimse/b.ts";'),
      "upward from network/dimse",
    ],
    ["out of src", file("src/cli/a.ts", 'import { b } from "../../test/b.ts";'), "src stands alone"],
    ["from no layer", file("src/helpers/a.ts"), "is in no layer"],
  ])("see an import %s", (_, bad, problem) => {
    expect(layerProblems([bad])).toEqual([expect.stringContaining(problem)]);
  });

  it("let an import from above pass, and what tests import", () => {
    const good = file("src/pipeline/a.ts", 'import { b } from "../deid/b.ts"; import { c } from "./c.ts";');
    const test = file("src/units/a.test.ts", 'import { b } from "../dicom/b.ts";');
    expect(layerProblems([good, test])).toEqual([]);
  });

  it("find what the dashboard would take along, and what would need a browser", () => {
    const type = 'import type { A } from "../../src/units/a.ts";';
    const value = 'import { a } from "../../src/units/a.ts";';
    expect(webProblems([file("web/src/a.tsx", type)])).toEqual([]);
    expect(webProblems([file("web/src/a.tsx", value)])).toHaveLength(1);
    expect(webProblems([file("web/src/a.tsx", value), file("src/units/a.ts")])).toEqual([]);
    expect(webProblems([file("src/http/a.ts", 'import { b } from "../../web/src/b.ts";')])).toHaveLength(1);
  });

  it("find a file that only its test and another dead file lead to", () => {
    const files = [
      file("src/cli/main.ts", 'import "./used.ts"; new Worker(new URL("./worker.ts", import.meta.url));'),
      file("src/cli/used.ts"),
      file("src/cli/worker.ts"),
      file("src/cli/dead.ts", 'import "./under-dead.ts";'),
      file("src/cli/under-dead.ts"),
      file("src/cli/dead.test.ts", 'import "./dead.ts";'),
    ];
    expect(deadFiles(files)).toEqual(["src/cli/dead.ts", "src/cli/under-dead.ts"]);
  });

  it("find a package that is not a dependency", () => {
    const bad = file("src/cli/a.ts", 'import "node:fs"; import "zod/mini"; import "@scope/tool/part";');
    expect(strayPackages([bad], new Set(["zod"]))).toEqual([expect.stringContaining("@scope/tool")]);
  });
});
