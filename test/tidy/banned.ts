import type { SourceFile } from "./repository.ts";
import { isNode, lineAt, memberName, nameOf, nodesOf, type SyntaxNode, syntaxOf } from "./syntax.ts";

interface BannedSyntax {
  readonly what: string;
  readonly instead: string;
  /** Where it is allowed. */
  readonly allowedIn?: RegExp;
  readonly isIt: (node: SyntaxNode) => boolean;
}

const TESTS = /^(?:test\/|.*\.test\.ts$)/;

const BANNED_SYNTAX: readonly BannedSyntax[] = [
  {
    what: "any",
    instead: "unknown, and parse it",
    isIt: ({ type }) => type === "TSAnyKeyword",
  },
  {
    what: "enum",
    instead: "a table `as const` and the union of its keys",
    isIt: ({ type }) => type === "TSEnumDeclaration",
  },
  {
    what: "namespace",
    instead: "a file",
    isIt: ({ type, ...node }) => type === "TSModuleDeclaration" && node.declare !== true,
  },
  {
    what: "export default",
    instead: "a named export",
    allowedIn: /^[^/]+\.config\.ts$/,
    isIt: ({ type }) => type === "ExportDefaultDeclaration",
  },
  {
    what: "a parameter property",
    instead: "a field of its own: Node only erases types",
    isIt: ({ type }) => type === "TSParameterProperty",
  },
  {
    what: "console",
    instead: "the Logger or the Printer that was passed in",
    allowedIn: /^scripts\//,
    isIt: (node) => memberName(node)?.startsWith("console.") ?? false,
  },
  {
    what: "Math.random",
    instead: "the Random that was passed in",
    allowedIn: /^src\/units\//,
    isIt: (node) => memberName(node) === "Math.random",
  },
  {
    what: "Date.now",
    instead: "the Clock that was passed in",
    allowedIn: new RegExp(`^src/units/|^scripts/|^web/src/browser/|${TESTS.source}`),
    isIt: (node) => memberName(node) === "Date.now",
  },
  {
    what: "new Date()",
    instead: "new Date(clock.nowMs())",
    allowedIn: new RegExp(`^src/units/|^scripts/|^web/src/browser/|${TESTS.source}`),
    isIt: ({ type, ...node }) => type === "NewExpression" && nameOf(node.callee) === "Date" && isEmpty(node.arguments),
  },
  {
    what: "declareDeidentified",
    instead: "a Deidentifier: only verified output may be declared so",
    allowedIn: new RegExp(`^src/deid/|${TESTS.source}`),
    isIt: ({ type, ...node }) => type === "ImportSpecifier" && nameOf(node.imported) === "declareDeidentified",
  },
  {
    what: "mkdir with recursive",
    instead: "makeFolders: it ends wherever the path leads",
    allowedIn: new RegExp(`^scripts/|^bench/|testing|${TESTS.source}`),
    isIt: (node) =>
      node.type === "CallExpression" &&
      nameOf(node.callee) === "mkdir" &&
      [...nodesOf(node)].some(([inner]) => inner.type === "Property" && nameOf(inner.key) === "recursive"),
  },
  {
    what: "a test that is left out",
    instead: "skipIf with the peer it needs, or no test",
    isIt: (node) => /^(?:it|test|describe)\.(?:.*\.)?(?:skip|only|todo)$/.test(memberName(node) ?? ""),
  },
];

interface BannedText {
  readonly what: RegExp;
  readonly instead: string;
  readonly appliesTo: RegExp;
}

const CODE = /\.(?:tsx?|sh)$/;
const EVERYTHING = /./;

const BANNED_TEXTS: readonly BannedText[] = [
  { what: /@ts-(?:ignore|nocheck|expect-error)/, instead: "a type that is true", appliesTo: CODE },
  { what: /biome-ignore/, instead: "code that the rule accepts", appliesTo: CODE },
  { what: /\b(?:TODO|FIXME|XXX|HACK)\b/, instead: "the work, or an issue", appliesTo: CODE },
  {
    what: /(?<![\w.~-])\/(?:work|home\/\w+|Users\/\w+|root|farm)\/\w/,
    instead: "a path from the repository, a setting or the temporary folder",
    appliesTo: EVERYTHING,
  },
  {
    what: /\bregistry\.(?:npmjs|yarnpkg)\.\w+|\bnpm\.pkg\.github\.com|\bartifactory\b|\bnpmjs\.org\/|\bpypi\.org\b|\bdeb\.debian\.org\b/i,
    instead: "nothing: whoever installs has a registry of their own",
    appliesTo: EVERYTHING,
  },
  {
    what: /\bsubagents?\b|\bas an AI\b|\bthis session\b/i,
    instead: "words about the product",
    appliesTo: EVERYTHING,
  },
];

/** These files show what they forbid. */
const EXAMPLES = /^test\/tidy\/banned\.(?:test\.)?ts$/;

export function bannedSyntax(file: SourceFile): readonly string[] {
  const rules = BANNED_SYNTAX.filter(({ allowedIn }) => !allowedIn?.test(file.path));
  return [...nodesOf(syntaxOf(file))].flatMap(([node]) =>
    rules
      .filter(({ isIt }) => isIt(node))
      .map(({ what, instead }) => `${file.path}:${lineAt(file, node.start)} ${what}: use ${instead}`),
  );
}

export function bannedTexts({ path, text }: SourceFile): readonly string[] {
  if (EXAMPLES.test(path)) return [];
  return BANNED_TEXTS.filter(({ appliesTo }) => appliesTo.test(path)).flatMap(({ what, instead }) =>
    text.split("\n").flatMap((line, index) => {
      const found = what.exec(line)?.[0];
      return found === undefined ? [] : [`${path}:${index + 1} ${found}: use ${instead}`];
    }),
  );
}

function isEmpty(value: unknown): boolean {
  return Array.isArray(value) && value.filter(isNode).length === 0;
}
