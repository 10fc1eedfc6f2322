import type { Command } from "commander";
import { expect, it } from "vitest";
import { programVerbs } from "../support/program-verbs.ts";
import { callsIn, callsOf, docsPages, mentionsOf } from "./code-blocks.ts";

const program = programVerbs();
const CALLS = docsPages().flatMap((page) => callsOf(page).map((words) => [page, words.join(" "), words] as const));

const MENTIONS = docsPages().flatMap((page) =>
  mentionsOf(page).map((words) => [page, words.join(" "), words] as const),
);

/** What the help of each verb shows to be copied. */
const EXAMPLES = verbsBelow(program).flatMap((verb) =>
  callsIn(helpOf(verb), "  ").map((words) => [verb.name(), words.join(" "), words] as const),
);

interface Asked {
  readonly verb: Command;
  readonly options: readonly string[];
  readonly arguments: number;
}

/** The verb, its options by their long names, and how many arguments it is given; or what it does not know. */
function read(words: readonly string[]): Asked | string {
  let verb = program;
  const options: string[] = [];
  let given = 0;
  for (let at = 0; at < words.length; at += 1) {
    const word = words[at] ?? "";
    const next = verb.commands.find((command) => command.name() === word);
    const [flag = "", inline] = word.split("=", 2);
    const known = [...verb.options, ...program.options].find(({ long, short }) => long === flag || short === word);
    if (next !== undefined) verb = next;
    else if (known !== undefined) {
      options.push(known.long ?? flag);
      const takesValue = known.required || known.optional;
      if (takesValue && inline === undefined) at += 1;
      while (known.variadic && at + 1 < words.length && !words[at + 1]?.startsWith("-")) at += 1;
    } else if (/^-./.test(word)) return `it has no option ${word}`;
    else given += 1;
  }
  return { verb, options, arguments: given };
}

function verbsBelow(verb: Command): readonly Command[] {
  return [verb, ...verb.commands.flatMap(verbsBelow)];
}

function helpOf(verb: Command): string {
  let text = "";
  verb.configureOutput({ writeOut: (written) => (text += written) }).outputHelp();
  return text;
}

/** What the command line would say of it before it does anything. */
function problemOf(words: readonly string[]): string | undefined {
  const asked = read(words);
  if (typeof asked === "string") return asked;
  const { verb, options, arguments: given } = asked;
  if (verb.commands.length > 0) return options.includes("--help") || words.length === 0 ? undefined : "it is no verb";
  const missing = verb.options.find(({ mandatory, long, defaultValue }) =>
    Boolean(mandatory && defaultValue === undefined && !options.includes(long ?? "")),
  );
  if (missing !== undefined) return `it needs ${missing.long}`;
  const required = verb.registeredArguments.filter((argument) => argument.required).length;
  const isVariadic = verb.registeredArguments.some(({ variadic }) => variadic);
  if (given < required) return `it needs ${required} arguments`;
  return given > verb.registeredArguments.length && !isVariadic ? `it takes no argument more: ${given}` : undefined;
}

it("reads many calls", () => {
  expect(CALLS.length).toBeGreaterThan(75);
  expect(MENTIONS.length).toBeGreaterThan(100);
  expect(EXAMPLES.length).toBeGreaterThan(150);
});

it.each(CALLS)("%s: radferry %s", (_, __, words) => {
  expect(problemOf(words)).toBeUndefined();
});

it.each(EXAMPLES)("the help of %s: radferry %s", (_, __, words) => {
  expect(problemOf(words)).toBeUndefined();
});

it.each(MENTIONS)("%s mentions radferry %s", (_, __, words) => {
  expect(read(words)).toBeTypeOf("object");
});

it.each([
  ["cohort search --project p --archive a --nothing", "it has no option --nothing"],
  ["cohort submit wanted.csv", "it needs --project"],
  ["intake assign --project p", "it needs 1 arguments"],
  ["cohort", "it is no verb"],
])("would not let pass: radferry %s", (call, problem) => {
  expect(problemOf(call.split(" "))).toBe(problem);
});
