import { readFile } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { Readable } from "node:stream";
import { stringify } from "yaml";
import { importPixlTagOperations, type PixlImport } from "../../deid/profiles/import-pixl.ts";
import type { PixlFile } from "../../deid/profiles/pixl-operations.ts";
import { type ImageSize, masksOfRecipe, type PixlProject, readPixlProject } from "../../deid/profiles/pixl-project.ts";
import { GatewayError } from "../../errors/gateway-error.ts";
import type { Cli } from "../cli.ts";
import { EXIT, type ExitCode } from "../exit-codes.ts";
import { isSystemError, writeWholeFile } from "../write-whole-file.ts";
import type { ImportOptions } from "./deid-profile.ts";

const LINE_WIDTH = 140;
/** Folders beside PIXL's configurations of projects. */
const TAG_OPERATIONS = "tag-operations";
const MANUFACTURER_OVERRIDES = join(TAG_OPERATIONS, "manufacturer-overrides");
const IMAGE_OPERATIONS = "image-operations";

export async function importPixl(cli: Cli, base: readonly string[], options: ImportOptions): Promise<ExitCode> {
  const project = await projectOf(cli, options);
  if (base.length === 0 && project === undefined)
    throw new GatewayError("USAGE_INVALID", { problem: "name tag operation files, or --project-config" });
  const masks = project === undefined ? [] : await writeMasks(cli, project, options);
  const files = {
    base: [
      ...(await readAll(cli, inFolder(options, TAG_OPERATIONS, project?.files.base))),
      ...(await readAll(cli, base)),
    ],
    manufacturerOverrides: [
      ...(await readAll(cli, inFolder(options, MANUFACTURER_OVERRIDES, project?.files.manufacturerOverrides))),
      ...(await readAll(cli, options.manufacturerOverrides ?? [])),
    ],
  };
  const made = importPixlTagOperations(files, {
    name: options.name,
    acceptFreeText: options.acceptFreeText === true,
    masks,
    ...(project === undefined ? {} : { project }),
    ...(options.pseudonyms === undefined ? {} : { pseudonyms: options.pseudonyms }),
  });
  for (const warning of made.warnings) cli.printer.note(`warning: ${warning}`);
  await write(cli, made);
  return EXIT.fine;
}

async function projectOf(cli: Cli, { projectConfig }: ImportOptions): Promise<PixlProject | undefined> {
  return projectConfig === undefined ? undefined : readPixlProject(await readNamed(cli, projectConfig));
}

function inFolder({ projectConfig = "" }: ImportOptions, folder: string, names: readonly string[] = []): string[] {
  return names.map((name) => join(dirname(projectConfig), folder, name));
}

/** The mask files of the profile: one at most. */
async function writeMasks(cli: Cli, project: PixlProject, options: ImportOptions): Promise<readonly string[]> {
  const { masksFile, imageSizes = [] } = options;
  const [recipe] = await readAll(cli, inFolder(options, IMAGE_OPERATIONS, project.files.recipes));
  if (recipe === undefined || masksFile === undefined || imageSizes.length === 0) return [];
  const document = masksOfRecipe(recipe, imageSizes.map(imageSizeOf));
  const path = resolve(cli.world.workingFolder, masksFile);
  await writeWholeFile(
    path,
    Readable.from([stringify(document, { lineWidth: LINE_WIDTH, aliasDuplicateObjects: false })]),
  );
  return [masksFile];
}

function imageSizeOf(text: string): ImageSize {
  const [, rows, columns] = /^([1-9][0-9]{0,4})x([1-9][0-9]{0,4})$/.exec(text) ?? [];
  if (rows === undefined) throw new GatewayError("USAGE_INVALID", { problem: "write an image's size as ROWSxCOLUMNS" });
  return { rows: Number(rows), columns: Number(columns) };
}

async function write({ printer }: Cli, { document, warnings }: PixlImport): Promise<void> {
  if (printer.json) await printer.document({ profile: document, warnings }, () => []);
  else await printer.text(stringify(document, { lineWidth: LINE_WIDTH }));
}

function readAll(cli: Cli, names: readonly string[]): Promise<readonly PixlFile[]> {
  return Promise.all(names.map((name) => readNamed(cli, name)));
}

async function readNamed({ world }: Cli, name: string): Promise<PixlFile> {
  try {
    return { name, text: await readFile(resolve(world.workingFolder, name), "utf8") };
  } catch (thrown) {
    if (!isSystemError(thrown)) throw thrown;
    throw new GatewayError("PROFILE_FILE_UNREADABLE", { reason: thrown.code }, thrown);
  }
}
