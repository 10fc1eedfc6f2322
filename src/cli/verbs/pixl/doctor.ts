import { examinePixl } from "../../../compat/pixl/doctor.ts";
import { environmentIn } from "../../../compat/pixl/environment.ts";
import { readPixlSettings } from "../../../compat/pixl/settings.ts";
import type { Cli } from "../../cli.ts";
import { EXIT, type ExitCode } from "../../exit-codes.ts";
import { doctorLines } from "../doctor.ts";

export async function doctorVerb({ world, printer }: Cli): Promise<ExitCode> {
  const { environment, workingFolder, clock, stop: signal } = world;
  const settings = readPixlSettings(await environmentIn(workingFolder, environment));
  const document = await examinePixl(settings, { clock, signal });
  await printer.document(document, () => doctorLines(document));
  return document.ok ? EXIT.fine : EXIT.failed;
}
