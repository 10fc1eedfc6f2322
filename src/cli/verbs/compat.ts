import { once } from "node:events";
import type { Command } from "commander";
import type { Face } from "../../gateway/faces.ts";
import type { Logger } from "../../units/logger.ts";
import type { Cli, LogLevel } from "../cli.ts";
import { EXIT, type ExitCode } from "../exit-codes.ts";
import { examples } from "../help.ts";
import { portOption } from "../option-parsers.ts";
import { programVersion } from "../version.ts";

const HELP = `
Configured by the environment of the original, as it is. State is kept in RADFERRY_HOME (/var/lib/radferry); the log goes to
stderr. SIGTERM or SIGINT ends with 0, and work that is not done goes on at the next start.
`;

const PIXL_HELP = `
Names that the environment lacks are taken from .env in this folder. PIXL's database is migrated first, unless SKIP_ALEMBIC says
otherwise. Nothing is worked off until a rate is set: radferry pixl start, or pixl start.
`;

const SCANHUB_HELP = `
Files are kept below DATA_LAKE_DIRECTORY (/data). Users' tokens are made by radferry scanner token create, scanners are registered by
radferry scanner register.
`;

/** The originals bind every address: they stand in a network of containers. */
const USUAL_HOST = "0.0.0.0";
const USUAL_PORT = 8_000;

interface FaceOptions {
  readonly host: string;
  readonly port: number;
}

interface FaceVerb {
  readonly name: string;
  readonly description: string;
  readonly example: string;
  readonly help: string;
  run(cli: Cli, listening: FaceOptions): Promise<ExitCode>;
}

/** What stands in for what; each is configured by the environment that its original knows. */
const FACES: readonly FaceVerb[] = [
  { name: "flip", description: "FLIP's imaging-api", example: "--host 127.0.0.1 --port 8001", help: "", run: flip },
  {
    name: "pixl",
    description: "PIXL's imaging API: queues, rate, retrieval and hand-over",
    example: "--host 127.0.0.1 --port 7007",
    help: PIXL_HELP,
    run: pixl,
  },
  {
    name: "scanhub",
    description: "ScanHub's exam-manager and device-manager: tasks, sequences, results and scanners",
    example: "--host 127.0.0.1",
    help: SCANHUB_HELP,
    run: scanhub,
  },
];

export function addCompatVerbs(program: Command, cli: Cli): void {
  const compat = program.command("compat").description("stand in for another system's service");
  for (const { name, description, example, help, run } of FACES) {
    const verb = `compat ${name}`;
    compat
      .command(name)
      .description(description)
      .option("--host <host>", "address to listen on", USUAL_HOST)
      .option("--port <n>", "port to listen on; 0 takes any free one", portOption, USUAL_PORT)
      .addHelpText("after", HELP + help + examples(verb, `${verb} ${example}`))
      .action(cli.verb((options: FaceOptions) => run(cli, options)));
  }
}

async function flip(cli: Cli, listening: FaceOptions): Promise<ExitCode> {
  const { environment, clock } = cli.world;
  const { openFlipFace } = await import("../../gateway/open-flip.ts");
  const { readFlipSettings } = await import("../../compat/flip/settings.ts");
  const settings = readFlipSettings(environment);
  return await serve(cli, "flip", settings.logLevel, (parts) =>
    openFlipFace({ ...parts, ...listening, settings, clock }),
  );
}

async function pixl(cli: Cli, listening: FaceOptions): Promise<ExitCode> {
  const { environment, workingFolder, clock, stop } = cli.world;
  const { openPixlFace } = await import("../../gateway/open-pixl.ts");
  const { readPixlSettings } = await import("../../compat/pixl/settings.ts");
  const { environmentIn } = await import("../../compat/pixl/environment.ts");
  const settings = readPixlSettings(await environmentIn(workingFolder, environment));
  return await serve(cli, "pixl", settings.logLevel, (parts) =>
    openPixlFace({ ...parts, ...listening, settings, clock, stop }),
  );
}

async function scanhub(cli: Cli, listening: FaceOptions): Promise<ExitCode> {
  const { environment, clock } = cli.world;
  const { openScanHubFace } = await import("../../gateway/open-scanhub.ts");
  const { readScanHubSettings } = await import("../../compat/scanhub/settings.ts");
  const settings = readScanHubSettings(environment);
  return await serve(cli, "scanhub", settings.logLevel, (parts) =>
    openScanHubFace({ ...parts, ...listening, settings, clock }),
  );
}

interface FaceWorld {
  readonly home: string;
  readonly version: string;
  readonly logger: Logger;
}

/** Until it is told to stop; then what is under way comes to its end. */
async function serve(
  cli: Cli,
  name: string,
  logLevel: LogLevel,
  open: (world: FaceWorld) => Promise<Face>,
): Promise<ExitCode> {
  const { printer, world } = cli;
  const { USUAL_HOME } = await import("../../gateway/face-home.ts");
  const home = world.environment.RADFERRY_HOME || USUAL_HOME;
  const logger = await cli.logger(logLevel);
  await using face = await open({ home, version: programVersion(), logger }).catch((thrown: unknown) => {
    if (world.stop.aborted) return undefined;
    throw thrown;
  });
  // Told to stop before there was anything to do.
  if (face === undefined) return EXIT.fine;
  logger.info("face is ready", { kind: name, port: face.port });
  await printer.document({ serving: true, httpPort: face.port }, () => [
    `radferry compat ${name} is ready; port ${face.port}`,
  ]);
  if (!world.stop.aborted) await once(world.stop, "abort");
  await face.drain();
  return EXIT.fine;
}
