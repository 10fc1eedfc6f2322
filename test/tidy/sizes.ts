import { isTest, type SourceFile } from "./repository.ts";
import { isNode, lineAt, nameOf, nodesOf, type SyntaxNode, syntaxOf } from "./syntax.ts";

const MAXIMUM_FILE_LINES = 400;
const MAXIMUM_FUNCTION_LINES = 70;

const FUNCTIONS = new Set(["FunctionDeclaration", "FunctionExpression", "ArrowFunctionExpression"]);

export function longFiles(files: readonly SourceFile[]): readonly string[] {
  return files
    .map(({ path, text }) => ({ path, lines: text.trimEnd().split("\n").length }))
    .filter(({ lines }) => lines > MAXIMUM_FILE_LINES)
    .map(({ path, lines }) => `${path} has ${lines} lines, at most ${MAXIMUM_FILE_LINES}: one file, one subject`);
}

/** Functions, methods and arrow functions, each with what stands inside of it. The body of a `describe` is a list, not a function. */
export function longFunctions(file: SourceFile): readonly string[] {
  return [...nodesOf(syntaxOf(file))].flatMap(([node, parent]) => {
    if (!FUNCTIONS.has(node.type) || (isTest(file.path) && isBodyOfDescribe(parent))) return [];
    const first = lineAt(file, node.start);
    const lines = lineAt(file, node.end) - first + 1;
    if (lines <= MAXIMUM_FUNCTION_LINES) return [];
    return [`${file.path}:${first} a function has ${lines} lines, at most ${MAXIMUM_FUNCTION_LINES}: split it`];
  });
}

/** `describe(…)`, `describe.skipIf(…)(…)`, `describe.each(…)(…)`. */
function isBodyOfDescribe(parent: SyntaxNode | undefined): boolean {
  let callee: unknown = parent?.type === "CallExpression" ? parent.callee : undefined;
  while (isNode(callee) && callee.type !== "Identifier") callee = callee.callee ?? callee.object;
  return nameOf(callee) === "describe";
}
