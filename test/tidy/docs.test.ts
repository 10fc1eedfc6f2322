import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Command as ProgramCommand } from "commander";
import { describe, expect, it } from "vitest";
import { GENERATED_PAGES } from "../../scripts/generated-pages.ts";
import { programVerbs } from "../support/program-verbs.ts";
import { brokenLinks, type Command, titleProblem, unknownScripts, unknownVerbs } from "./docs.ts";
import { ROOT, repositoryFiles } from "./repository.ts";

const pages = repositoryFiles().filter(({ path }) => /^(?:docs\/.*|[^/]+)\.md$/.test(path));
const packageFile: { readonly scripts: Readonly<Record<string, string>> } = JSON.parse(
  readFileSync(join(ROOT, "package.json"), "utf8"),
);
const program = programVerbs();

function commandOf(command: Pick<ProgramCommand, "name" | "commands">): Command {
  return { name: command.name(), commands: command.commands.map(commandOf) };
}

describe("this repository", () => {
  it.each(Object.entries(GENERATED_PAGES))("has a current %s", (path, page) => {
    const isCurrent = readFileSync(join(ROOT, path), "utf8") === page();
    expect(isCurrent, `${path} differs from the code: run \`npm run docs\``).toBe(true);
  });

  it("has one title on every page", () => {
    expect(pages.map(titleProblem).filter((problem) => problem !== undefined)).toEqual([]);
  });

  it("links only to what is there", () => {
    expect(pages.flatMap((page) => brokenLinks(page, (path) => existsSync(join(ROOT, path))))).toEqual([]);
  });

  it("has every page on the map", () => {
    const map = pages.find(({ path }) => path === "docs/README.md")?.text ?? "";
    const names = readdirSync(join(ROOT, "docs"), { recursive: true, encoding: "utf8" }).filter(
      (name) => name !== "README.md" && /\.\w+$/.test(name) && !name.startsWith("decisions/"),
    );
    expect(names.filter((name) => !map.includes(`](${name})`))).toEqual([]);
  });

  it("names only verbs that the command line has", () => {
    expect(program.commands.length).toBeGreaterThan(0);
    expect(pages.flatMap((page) => unknownVerbs(page, commandOf(program)))).toEqual([]);
  });

  it("names only scripts that package.json has", () => {
    const scripts = new Set(Object.keys(packageFile.scripts));
    expect(pages.flatMap((page) => unknownScripts(page, scripts))).toEqual([]);
  });
});

describe("the checks", () => {
  it.each(["", "No title\n", "# One\n\n# Two\n", "First\n\n# Late\n"])("find a page without one title: %j", (text) => {
    expect(titleProblem({ path: "docs/a.md", text })).toContain("docs/a.md has");
  });

  it("take a comment in a code block for no title", () => {
    expect(titleProblem({ path: "docs/a.md", text: "# One\n\n```sh\n# not a title\n```\n" })).toBeUndefined();
  });

  it("find a link to nothing, and leave links to elsewhere alone", () => {
    const text = "# A\n[b](b.md) [c](../src/c.ts#L1) [d](https://example.org/d) [e](#e)\n";
    expect(brokenLinks({ path: "docs/a.md", text }, (path) => path === "src/c.ts")).toEqual([
      "docs/a.md links to docs/b.md, which does not exist",
    ]);
  });

  it("find a verb that is not there, and take arguments for no verbs", () => {
    const small = { name: "radferry", commands: [{ name: "study", commands: [{ name: "show", commands: [] }] }] };
    const verbsIn = (text: string) => unknownVerbs({ path: "docs/a.md", text }, small);
    expect(verbsIn("`bin/radferry study shwo 1`")).toEqual([
      'docs/a.md says "radferry study shwo", which the command line does not know',
    ]);
    expect(verbsIn("`radferry sutdy`")).toHaveLength(1);
    expect(verbsIn("`radferry study show this`, radferry.yaml, `radferry study --json`")).toEqual([]);
  });

  it("find a script that is not there", () => {
    const page = { path: "README.md", text: "`npm run demo`, `npm run dmeo -- --archive A@b:1`" };
    expect(unknownScripts(page, new Set(["demo"]))).toEqual([
      'README.md says "npm run dmeo", which package.json does not know',
    ]);
  });
});
