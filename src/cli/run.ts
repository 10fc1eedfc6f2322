import { Command, CommanderError } from "commander";
import { GatewayError } from "../errors/gateway-error.ts";
import type { Cli, GlobalOptions } from "./cli.ts";
import { EXIT, type ExitCode, exitCodeOf } from "./exit-codes.ts";
import { createPrinter, OutputClosed, type Printer } from "./printer.ts";
import { buildProgram } from "./program.ts";
import { rehearsedVerb, rehearsingPrinter } from "./rehearsals.ts";
import { reportError } from "./report-error.ts";
import type { World } from "./world.ts";

/** Runs one command line (without program name) to its end. Never throws: what went wrong is reported and in the exit code. */
export async function run(args: readonly string[], world: World): Promise<ExitCode> {
  const printer = createPrinter(world, isJsonAsked(args));
  let exitCode: ExitCode = EXIT.fine;
  let rehearsing: Printer | undefined;
  const cli: Cli = {
    world,
    get printer() {
      return rehearsing ?? printer;
    },
    isRehearsal: () => rehearsing !== undefined,
    options: () => program.opts<GlobalOptions>(),
    logger: async (usualLevel) => {
      const { createLogger } = await import("../observe/logger.ts");
      const level = program.opts<GlobalOptions>().logLevel ?? usualLevel;
      // The process's own stderr is written by the logger itself, at once.
      return createLogger({ level, ...(world.stderr === process.stderr ? {} : { destination: world.stderr }) });
    },
    verb:
      (verb) =>
      async (...parts) => {
        const called = parts.at(-1);
        const rehearsed = called instanceof Command ? rehearsedVerb(called) : undefined;
        if (rehearsed !== undefined) rehearsing = rehearsingPrinter(printer, rehearsed);
        exitCode = await verb(...parts);
      },
  };
  const program = buildProgram(cli);
  try {
    await program.parseAsync([...args], { from: "user" });
    return exitCode;
  } catch (thrown) {
    if (thrown instanceof OutputClosed) return EXIT.fine;
    const problem = problemOf(world.stop.aborted && isAbortError(thrown) ? world.stop.reason : thrown);
    if (problem === undefined) return EXIT.fine;
    await reportError(problem, printer).catch(() => undefined);
    return exitCodeOf(problem);
  }
}

/** Known before the options are parsed, so that an error in them is a document too. */
function isJsonAsked(args: readonly string[]): boolean {
  const end = args.indexOf("--");
  return (end === -1 ? args : args.slice(0, end)).includes("--json");
}

/** What Node's own waits throw when they are aborted; why is in the signal. */
function isAbortError(thrown: unknown): boolean {
  return thrown instanceof Error && thrown.name === "AbortError";
}

/** Undefined when nothing is wrong: help and version end the same way. */
function problemOf(thrown: unknown): unknown {
  if (!(thrown instanceof CommanderError)) return thrown;
  if (thrown.exitCode === 0) return undefined;
  const isVerbMissing = thrown.code === "commander.help";
  const problem = isVerbMissing ? "a verb is missing" : thrown.message.replace(/^error: /, "");
  return new GatewayError("USAGE_INVALID", { problem });
}
