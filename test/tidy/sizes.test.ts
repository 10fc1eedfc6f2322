import { describe, expect, it } from "vitest";
import { typeScriptFiles } from "./repository.ts";
import { longFiles, longFunctions } from "./sizes.ts";

const code = typeScriptFiles("src", "web", "test", "scripts", "bench");
const lines = (count: number): string => "call();\n".repeat(count);

describe("this repository", () => {
  it("has no file over 400 lines", () => {
    expect(longFiles(code)).toEqual([]);
  });

  it("has no function over 70 lines", () => {
    expect(code.flatMap(longFunctions)).toEqual([]);
  });
});

describe("the checks", () => {
  it("find a file of 401 lines, not one of 400", () => {
    expect(longFiles([{ path: "src/a.ts", text: lines(401) }])).toEqual([expect.stringContaining("401 lines")]);
    expect(longFiles([{ path: "src/a.ts", text: lines(400) }])).toEqual([]);
  });

  it.each([
    ["declaration", (body: string) => `function f() {\n${body}}`],
    ["arrow function", (body: string) => `const f = () => {\n${body}};`],
    ["method", (body: string) => `class C {\n  m() {\n${body}}\n}`],
    ["function in an object", (body: string) => `const o = { async *m() {\n${body}} };`],
  ])("find a long %s, not one that just fits", (_, wrap) => {
    expect(longFunctions({ path: "src/a.ts", text: wrap(lines(69)) })).toEqual([expect.stringContaining("71 lines")]);
    expect(longFunctions({ path: "src/a.ts", text: wrap(lines(68)) })).toEqual([]);
  });

  it("take a table for no function, nor braces in texts, templates, patterns and comments", () => {
    const table = `const table = {\n${"  key: { a: 1 },\n".repeat(100)}};`;
    const texts = "function f() { return [`{$" + "{1}{`, '{', /{/, 1 /* { */]; } // {\n";
    expect(longFunctions({ path: "src/a.ts", text: `${texts}${table}` })).toEqual([]);
  });

  it.each(["describe('x', () => {", "describe.skipIf(true)('x', () => {", "describe.each([1])('x', () => {"])(
    "let the list of tests in %s be long, but not a test",
    (opening) => {
      expect(longFunctions({ path: "src/a.test.ts", text: `${opening}\n${lines(80)}});` })).toEqual([]);
      expect(longFunctions({ path: "src/a.test.ts", text: `it('x', () => {\n${lines(80)}});` })).toHaveLength(1);
    },
  );
});
