import type { Command, Option } from "commander";

/**
 * What may stand in the last word's place: verbs, the options of the verb it belongs to, or the choices of an option or argument. Empty where only
 * the user knows, as for files and names.
 */
export function candidatesFor(program: Command, words: readonly string[]): readonly string[] {
  const typed = words.slice(0, -1);
  const last = words.at(-1) ?? "";
  const { command, open, places } = walk(program, typed);
  const starting = (candidates: readonly string[]): readonly string[] =>
    candidates.filter((candidate) => candidate.startsWith(last)).toSorted();
  if (open !== undefined) return starting(open.argChoices ?? []);
  if (last.startsWith("-")) return starting(optionsOf(command).flatMap(namesOf));
  const verbs = command.commands.filter((verb) => !isHidden(verb)).map((verb) => verb.name());
  if (verbs.length > 0 && places === 0) return starting(verbs);
  return starting(command.registeredArguments[places]?.argChoices ?? []);
}

interface Place {
  readonly command: Command;
  /** An option that waits for its value. */
  readonly open: Option | undefined;
  /** Arguments of the verb that are there already. */
  readonly places: number;
}

function walk(program: Command, words: readonly string[]): Place {
  let command = program;
  let open: Option | undefined;
  let places = 0;
  for (const word of words) {
    if (open !== undefined) {
      open = undefined;
      continue;
    }
    if (word.startsWith("-")) {
      const option = optionsOf(command).find((one) => namesOf(one).includes(word));
      open = option?.required === true ? option : undefined;
      continue;
    }
    const verb = command.commands.find((one) => one.name() === word);
    if (verb === undefined) places += 1;
    else command = verb;
  }
  return { command, open, places };
}

/** The verb's own and those of the verbs it belongs to. */
function optionsOf(command: Command): readonly Option[] {
  const own = command.options.filter(({ hidden }) => !hidden);
  return command.parent === null ? own : [...own, ...optionsOf(command.parent)];
}

function namesOf({ short, long }: Option): readonly string[] {
  return [short, long].filter((name) => name !== undefined);
}

function isHidden(command: Command): boolean {
  return command.name() === "complete";
}
