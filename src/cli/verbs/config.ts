import type { Command } from "commander";
import type { Cli } from "../cli.ts";
import { EXIT, type ExitCode } from "../exit-codes.ts";
import { examples } from "../help.ts";
import { counted, problemLines } from "../report-error.ts";

export function addConfigVerbs(program: Command, cli: Cli): void {
  const config = program.command("config").description("the configuration file: check it, begin one");
  config
    .command("check")
    .description("every problem of the configuration at once; exit code 2 when there are any")
    .addHelpText("after", examples("config check", "-c site.yaml config check --json"))
    .action(cli.verb(() => check(cli)));
  config
    .command("sample")
    .description("a commented configuration to begin with")
    .addHelpText("after", examples("config sample > radferry.yaml"))
    .action(cli.verb(() => sample(cli)));
  config
    .command("schema")
    .description("every setting, as JSON Schema")
    .addHelpText("after", examples("config schema > radferry.schema.json"))
    .action(cli.verb(() => schema(cli)));
}

async function check({ world, options, printer }: Cli): Promise<ExitCode> {
  const { checkSettings } = await import("../../config/load-settings.ts");
  const source = { file: options().config, environment: world.environment, cwd: world.workingFolder };
  const { ok, problems } = await checkSettings(source, world.clock);
  const headline = ok ? "the configuration is fine" : `${counted(problems.length, "problem")} in the configuration:`;
  await printer.document({ ok, problems }, () => [headline, ...problemLines(problems)]);
  return ok ? EXIT.fine : EXIT.usage;
}

async function sample({ printer }: Cli): Promise<ExitCode> {
  const { sampleSettings } = await import("../../config/sample.ts");
  const text = sampleSettings();
  if (printer.json) await printer.document({ sample: text }, () => []);
  else await printer.text(text);
  return EXIT.fine;
}

async function schema({ printer }: Cli): Promise<ExitCode> {
  const { settingsSchema } = await import("../../config/schema-shape.ts");
  await printer.text(`${JSON.stringify(settingsSchema(), undefined, 2)}\n`);
  return EXIT.fine;
}
