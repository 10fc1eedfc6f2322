import type { Command } from "commander";
import { createPrinter } from "../../src/cli/printer.ts";
import { buildProgram } from "../../src/cli/program.ts";
import { systemWorld } from "../../src/cli/world.ts";
import { silentLogger } from "../../src/units/logger.ts";

/** The command line's verbs, to be looked at and never run. */
export function programVerbs(): Command {
  const world = systemWorld(new AbortController().signal);
  return buildProgram({
    world,
    printer: createPrinter(world, true),
    options: () => ({}),
    isRehearsal: () => false,
    logger: () => Promise.resolve(silentLogger),
    verb: () => () => Promise.resolve(),
  });
}
