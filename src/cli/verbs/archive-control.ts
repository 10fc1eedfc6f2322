import { type Command, InvalidArgumentError, Option } from "commander";
import { parseWindow } from "../../archive/availability/window.ts";
import { GatewayError } from "../../errors/gateway-error.ts";
import type { ArchiveDocument } from "../../operations/documents.ts";
import type { ArchiveControls } from "../../store/records.ts";
import type { Cli } from "../cli.ts";
import { EXIT, type ExitCode } from "../exit-codes.ts";
import { openGateway } from "../gateway-session.ts";
import { examples } from "../help.ts";
import { archiveCondition, rateText, windowsText } from "./archive-condition.ts";

const AT_ONCE = `
In force at once, also in a running service, and over a restart.
`;

const RATE_HELP = `${AT_ONCE}
N is a number of studies, "unlimited", or "configured" for what the settings say.
`;

const WINDOWS_HELP = `${AT_ONCE}
Without windows it only shows. With --configured the settings' hold again; --always opens the archive at any time. What was begun within a window may end after it.
`;

/** A limit as it is set: a number, none, or the settings' own. */
type Limit = number | null | undefined;

/** Verbs that hold an archive back, or let it go. */
export function addArchiveControlVerbs(archive: Command, cli: Cli): void {
  archive
    .command("pause")
    .description("ask nothing more of the archive, and stop what is being fetched from it")
    .argument("<name>")
    .addHelpText("after", AT_ONCE + examples("archive pause vna"))
    .action(cli.verb((name: string) => control(cli, name, { paused: true })));
  archive
    .command("resume")
    .description("go on with a paused archive")
    .argument("<name>")
    .addHelpText("after", AT_ONCE + examples("archive resume vna"))
    .action(cli.verb((name: string) => control(cli, name, { paused: false })));
  archive
    .command("rate")
    .description("how many studies a minute are asked of the archive")
    .argument("<name>")
    .argument("[studies-per-minute]", "N, unlimited or configured", (text: string) => limitOption(text, 0.01, 10_000))
    .option("--bytes-per-second <n>", "how many bytes a second are taken from it; likewise", (text: string) =>
      limitOption(text, 10_000, Number.MAX_SAFE_INTEGER),
    )
    .addHelpText(
      "after",
      RATE_HELP + examples("archive rate vna 30", "archive rate vna configured --bytes-per-second 20000000"),
    )
    .action(
      cli.verb((name: string, studies: Given | undefined, options: RateOptions) => rate(cli, name, studies, options)),
    );
  archive
    .command("windows")
    .description("in which hours of the week the archive may be asked")
    .argument("<name>")
    .argument("[windows...]", 'hours such as "Mon-Fri 20:00-08:00"', windowArgument)
    .addOption(new Option("--time-zone <zone>", "of the windows, such as Europe/London").argParser(timeZoneOption))
    .option("--always", "at any time")
    .option("--configured", "as the settings say")
    .addHelpText("after", WINDOWS_HELP + examples('archive windows vna "Mon-Fri 20:00-08:00" "Sat-Sun 00:00-24:00"'))
    .action(
      cli.verb((name: string, given: readonly string[], options: WindowsOptions) => windows(cli, name, given, options)),
    );
}

/** Wraps a limit, so that "configured" (undefined) differs from nothing given. */
interface Given {
  readonly limit: Limit;
}

interface RateOptions {
  readonly bytesPerSecond?: Given;
}

interface WindowsOptions {
  readonly timeZone?: string;
  readonly always?: boolean;
  readonly configured?: boolean;
}

function limitOption(text: string, least: number, most: number): Given {
  if (text === "unlimited") return { limit: null };
  if (text === "configured") return { limit: undefined };
  const value = /^\d{1,15}(?:\.\d{1,3})?$/.test(text) ? Number(text) : Number.NaN;
  if (!(value >= least && value <= most)) {
    throw new InvalidArgumentError(`Write a number from ${least}, unlimited, or configured.`);
  }
  return { limit: value };
}

function windowArgument(text: string, earlier: readonly string[] = []): readonly string[] {
  if (parseWindow(text) === undefined) throw new InvalidArgumentError('Write hours such as "Mon-Fri 20:00-08:00".');
  return [...earlier, text];
}

function timeZoneOption(text: string): string {
  try {
    return new Intl.DateTimeFormat("en", { timeZone: text }).resolvedOptions().timeZone;
  } catch {
    throw new InvalidArgumentError("Write an IANA time zone such as Europe/London.");
  }
}

function rate(cli: Cli, name: string, studies: Given | undefined, { bytesPerSecond }: RateOptions): Promise<ExitCode> {
  const overrides = {
    ...(studies === undefined ? {} : { studiesPerMinute: studies.limit }),
    ...(bytesPerSecond === undefined ? {} : { bytesPerSecond: bytesPerSecond.limit }),
  };
  return control(cli, name, { overrides });
}

async function windows(
  cli: Cli,
  name: string,
  given: readonly string[] | undefined,
  { timeZone, always, configured }: WindowsOptions,
): Promise<ExitCode> {
  const isGiven = given !== undefined && given.length > 0;
  // Of two that contradict each other, the one that was not meant might open the archive.
  if ([isGiven, always === true, configured === true].filter(Boolean).length > 1)
    throw new GatewayError("USAGE_INVALID", { problem: "windows, --always or --configured: one of them" });
  if (timeZone !== undefined && !isGiven)
    throw new GatewayError("USAGE_INVALID", { problem: "--time-zone is that of windows: write them too" });
  // Who only looks opens nothing.
  if (!isGiven && always !== true && configured !== true) return await control(cli, name, { overrides: {} });
  const chosen = always === true ? null : isGiven ? given : undefined;
  return await control(cli, name, { overrides: { windows: chosen, timeZone } });
}

async function control(cli: Cli, name: string, controls: ArchiveControls): Promise<ExitCode> {
  await using gateway = await openGateway(cli, "client");
  const document = await gateway.operations.controlArchive(name, controls);
  await cli.printer.document(document, () => describe(document));
  return EXIT.fine;
}

function describe(document: ArchiveDocument): readonly string[] {
  return [
    `${document.name} is ${archiveCondition(document)}`,
    `windows: ${windowsText(document)}`,
    `rate: ${rateText(document)}`,
  ];
}
