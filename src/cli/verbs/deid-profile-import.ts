import { resolve } from "node:path";
import { importPixlTagOperations, type PixlImport, type PixlTagOperations } from "../../deid/profiles/import-pixl.ts";
import { type PixlProject, readPixlProject } from "../../deid/profiles/pixl-project.ts";
import { GatewayError } from "../../errors/gateway-error.ts";
import type { Cli } from "../cli.ts";
import { EXIT, type ExitCode } from "../exit-codes.ts";
import type { ImportOptions } from "./deid-profile.ts";
import { imageSizeOf, masksText, readAll, readNamed, tagOperationsOf, writeText, yamlText } from "./pixl-files.ts";

export async function importPixl(cli: Cli, base: readonly string[], options: ImportOptions): Promise<ExitCode> {
  const { projectConfig } = options;
  const project = projectConfig === undefined ? undefined : readPixlProject(await readNamed(cli, projectConfig));
  if (base.length === 0 && project === undefined)
    throw new GatewayError("USAGE_INVALID", { problem: "name tag operation files, or --project-config" });
  const ofProject: PixlTagOperations =
    projectConfig === undefined || project === undefined
      ? { base: [] }
      : await tagOperationsOf(cli, projectConfig, project);
  const files = {
    base: [...ofProject.base, ...(await readAll(cli, base))],
    manufacturerOverrides: [
      ...(ofProject.manufacturerOverrides ?? []),
      ...(await readAll(cli, options.manufacturerOverrides ?? [])),
    ],
  };
  const made = importPixlTagOperations(files, {
    name: options.name,
    acceptFreeText: options.acceptFreeText === true,
    masks: await masksOf(cli, project, options),
    ...(project === undefined ? {} : { project }),
    ...(options.pseudonyms === undefined ? {} : { pseudonyms: options.pseudonyms }),
  });
  for (const warning of made.warnings) cli.printer.note(`warning: ${warning}`);
  await write(cli, made);
  return EXIT.fine;
}

/** The mask files of the profile: one at most. */
async function masksOf(
  cli: Cli,
  project: PixlProject | undefined,
  { projectConfig, masksFile, imageSizes = [] }: ImportOptions,
): Promise<readonly string[]> {
  if (project === undefined || projectConfig === undefined || masksFile === undefined) return [];
  const text = await masksText(cli, projectConfig, project, imageSizes.map(imageSizeOf));
  if (text === undefined) return [];
  await writeText(resolve(cli.world.workingFolder, masksFile), text);
  return [masksFile];
}

async function write({ printer }: Cli, { document, warnings }: PixlImport): Promise<void> {
  if (printer.json) await printer.document({ profile: document, warnings }, () => []);
  else await printer.text(yamlText(document));
}
