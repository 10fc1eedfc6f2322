import { type Command, Option } from "commander";
import type { Printer } from "./printer.ts";

/** What a verb with `--dry-run` tells, and what only the run itself makes: those values are not told, as nobody could use them. */
interface Changing {
  readonly tells: string;
  readonly makes?: readonly string[];
}

/** Verbs that change something: each is run as it is over a store that forgets all of it, and what lies outside the store is looked at only. */
export const CHANGING: Readonly<Record<string, Changing>> = {
  init: { tells: "print the settings file, write and ask nothing" },
  "cohort submit": {
    tells: "tell how many rows would be accepted, and what is wrong with the others",
    makes: ["cohort"],
  },
  "cohort import": { tells: "tell what would come of each row", makes: ["cohort"] },
  "cohort search": { tells: "tell what it would cost the archive, and ask it nothing" },
  "cohort standing add": { tells: "tell when it would run first" },
  "cohort standing pause": { tells: "tell what would be paused" },
  "cohort standing resume": { tells: "tell when it would run next" },
  "cohort standing run": { tells: "tell what would be run" },
  "cohort standing remove": { tells: "tell what would be removed" },
  "cohort retry": { tells: "tell how many studies would be queued again" },
  "cohort cancel": { tells: "tell how many studies would be cancelled" },
  "cohort priority": { tells: "tell how many studies would change" },
  "study retry": { tells: "tell how many studies would be queued again" },
  "study release": { tells: "tell what would be left out and allowed" },
  "study cancel": { tells: "tell whether it would be cancelled" },
  "study priority": { tells: "tell whether it would change" },
  "intake assign": { tells: "tell what would be assigned" },
  "intake discard": { tells: "tell what would be discarded" },
  "archive pause": { tells: "tell what the archive's condition would be" },
  "archive resume": { tells: "tell what the archive's condition would be" },
  "archive rate": { tells: "tell what the archive's rates would be" },
  "archive windows": { tells: "tell what the archive's hours would be" },
  "node forget": { tells: "tell what would be given up" },
  "project new-key": { tells: "tell where it would be made" },
  "project change-key": { tells: "tell whether the key would change" },
  "project import-pixl": { tells: "tell what would be written, and what cannot be carried over" },
  "linkage destroy": { tells: "tell how many links there are" },
  "patient withdraw": { tells: "tell what would be removed, and where" },
  "db backup": { tells: "tell what would be in it" },
  "db restore": { tells: "check the backup, and that the home is empty" },
  "db migrate": { tells: "check that it could be done" },
  "token create": { tells: "tell what it would allow", makes: ["id", "token"] },
  "token revoke": { tells: "tell whose would end" },
  "notification test": { tells: "tell over which channel, and send nothing" },
  "scanner register": { tells: "tell whether it could be", makes: ["device_id", "device_token"] },
  "scanner revoke": { tells: "tell which registration would end" },
  "scanner token create": { tells: "tell whose it would be", makes: ["id", "token"] },
  "scanner token revoke": { tells: "tell which token would end" },
  "scanner task create": { tells: "tell what would be made", makes: ["id", "workflow"] },
  "scanner task cancel": { tells: "tell which task would be taken back" },
  "scanner task retry": { tells: "tell which task would be done again" },
  "scanner task release": { tells: "tell which files would be tried once more" },
  "scanner sequence add": { tells: "tell its size and sum", makes: ["id"] },
  "scanner result submit": { tells: "tell what would be sent on", makes: ["cohort"] },
};

/** Adds the option to every verb that changes something. */
export function addRehearsals(program: Command): void {
  for (const [path, verb] of verbsOf(program)) {
    const changing = CHANGING[path];
    if (changing !== undefined) verb.addOption(new Option("--dry-run", `change nothing: ${changing.tells}`));
  }
}

/** Every verb that does something, by what is written for it. */
export function* verbsOf(command: Command, path: readonly string[] = []): Generator<readonly [string, Command]> {
  if (command.commands.length === 0) yield [path.join(" "), command];
  for (const each of command.commands) yield* verbsOf(each, [...path, each.name()]);
}

/** Undefined for a run that changes what it says. */
export function rehearsedVerb(verb: Command): Changing | undefined {
  if (verb.opts<{ readonly dryRun?: boolean }>().dryRun !== true) return undefined;
  const path: string[] = [];
  for (let each: Command | null = verb; each?.parent; each = each.parent) path.unshift(each.name());
  return CHANGING[path.join(" ")];
}

/** Says with every document that nothing is changed, and leaves out what only the run itself makes. */
export function rehearsingPrinter(printer: Printer, { makes = [] }: Changing): Printer {
  return {
    ...printer,
    get hasPrinted() {
      return printer.hasPrinted;
    },
    document(document, lines) {
      const facts = typeof document === "object" && document !== null ? Object.entries(document) : [];
      const made = facts.filter(([name, value]) => makes.includes(name) && typeof value === "string");
      const kept = facts.filter((fact) => !made.includes(fact));
      return printer.document({ ...Object.fromEntries(kept), dryRun: true }, function* () {
        yield "dry run, nothing is changed:";
        for (const line of lines())
          yield made.reduce((text, [, value]) => text.replaceAll(String(value), "(new)"), line);
      });
    },
  };
}
