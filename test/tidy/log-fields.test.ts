import { expect, it } from "vitest";
import { isListed } from "../../src/observe/field-rules.ts";
import { type SourceFile, typeScriptFiles } from "./repository.ts";
import { isNode, lineAt, nameOf, nodesOf, type SyntaxNode, syntaxOf } from "./syntax.ts";

/** Every file is parsed: that takes a busy machine its time. */
const WHOLE_REPOSITORY_MS = 180_000;

const LOG_CALL = /(?:logger|sparse)\??\.(?:debug|info|warn|error)$/i;

/** Fields that calls of a logger name, and that the logger does not let pass: an operator would read `[redacted]`. */
function unlistedFields(file: SourceFile): readonly string[] {
  const calls = [...nodesOf(syntaxOf(file))].filter(
    ([{ type, callee }]) =>
      type === "CallExpression" && isNode(callee) && LOG_CALL.test(file.text.slice(callee.start, callee.end)),
  );
  return calls.flatMap(([call]) =>
    objectsIn(call).flatMap((fields) =>
      namesIn(fields)
        .filter((name) => !isListed(name))
        .map((name) => `${file.path}:${lineAt(file, call.start)}: ${name}`),
    ),
  );
}

function objectsIn({ arguments: given }: SyntaxNode): readonly SyntaxNode[] {
  return Array.isArray(given) ? given.filter((each) => isNode(each) && each.type === "ObjectExpression") : [];
}

function namesIn({ properties }: SyntaxNode): readonly string[] {
  if (!Array.isArray(properties)) return [];
  return properties.flatMap((each) =>
    isNode(each) && isNode(each.key) && each.computed !== true ? (nameOf(each.key) ?? []) : [],
  );
}

it("logs no field that its own logger redacts", { timeout: WHOLE_REPOSITORY_MS }, () => {
  const files = typeScriptFiles("src").filter(({ path }) => !/\.test(?:ing)?\.ts$/.test(path));
  expect(files.flatMap(unlistedFields)).toEqual([]);
});

it("finds a field that is not listed", () => {
  const text = 'parts.logger?.info("x", { job, patient: 1, ...more });\nlogger.debug("y", { code });';
  expect(unlistedFields({ path: "src/a.ts", text })).toEqual(["src/a.ts:1: patient"]);
});
