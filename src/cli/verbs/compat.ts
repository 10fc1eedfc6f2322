import { once } from "node:events";
import type { Command } from "commander";
import type { Cli } from "../cli.ts";
import { EXIT, type ExitCode } from "../exit-codes.ts";
import { examples } from "../help.ts";
import { portOption } from "../option-parsers.ts";
import { programVersion } from "../version.ts";

const HELP = `
Configured by the environment of the original, as it is. State is kept in RADFERRY_HOME (/var/lib/radferry); the log goes to
stderr. SIGTERM or SIGINT ends with 0, and work that is not done goes on at the next start.
`;

/** The originals bind every address: they stand in a network of containers. */
const USUAL_HOST = "0.0.0.0";
const USUAL_PORT = 8_000;

interface FaceOptions {
  readonly host: string;
  readonly port: number;
}

export function addCompatVerbs(program: Command, cli: Cli): void {
  const compat = program.command("compat").description("stand in for another system's service");
  compat
    .command("flip")
    .description("FLIP's imaging-api")
    .option("--host <host>", "address to listen on", USUAL_HOST)
    .option("--port <n>", "port to listen on; 0 takes any free one", portOption, USUAL_PORT)
    .addHelpText("after", HELP + examples("compat flip", "compat flip --host 127.0.0.1 --port 8001"))
    .action(cli.verb((options: FaceOptions) => flip(cli, options)));
}

async function flip(cli: Cli, { host, port }: FaceOptions): Promise<ExitCode> {
  const { world, printer } = cli;
  const { openFlipFace, USUAL_HOME } = await import("../../gateway/open-flip.ts");
  const { readFlipSettings } = await import("../../compat/flip/settings.ts");
  const settings = readFlipSettings(world.environment);
  const { clock, stop } = world;
  const home = world.environment.RADFERRY_HOME || USUAL_HOME;
  const logger = await cli.logger(settings.logLevel);
  await using face = await openFlipFace({ settings, home, host, port, version: programVersion(), clock, logger });
  logger.info("flip face is ready", { host, port: face.port });
  await printer.document({ serving: true, httpPort: face.port }, () => [
    `radferry compat flip is ready; port ${face.port}`,
  ]);
  if (!stop.aborted) await once(stop, "abort");
  await face.drain();
  return EXIT.fine;
}
