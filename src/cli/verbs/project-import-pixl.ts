import { basename, dirname, extname, join } from "node:path";
import { type PixlSettings, pixlSettingsEntry, type SettingsEntry } from "../../compat/pixl/project/settings-entry.ts";
import { addToSettings } from "../../config/add-to-settings.ts";
import { settingsFileOf } from "../../config/settings-file.ts";
import { importPixlTagOperations } from "../../deid/profiles/import-pixl.ts";
import { type PixlProject, readPixlProject } from "../../deid/profiles/pixl-project.ts";
import { GatewayError } from "../../errors/gateway-error.ts";
import { makeFolders } from "../../units/make-folders.ts";
import type { Cli } from "../cli.ts";
import { EXIT, type ExitCode } from "../exit-codes.ts";
import { isThere } from "../write-whole-file.ts";
import { imageSizeOf, masksText, readNamed, tagOperationsOf, writeText, yamlText } from "./pixl-files.ts";

export interface ImportProjectOptions {
  readonly archive: readonly string[];
  readonly destination?: readonly string[];
  readonly host?: string;
  readonly port?: number;
  readonly url?: string;
  readonly username?: string;
  readonly acceptFreeText?: true;
  readonly imageSizes?: readonly string[];
  readonly signedOff?: string;
  readonly add?: true;
  readonly force?: true;
}

/** Writes the profile beside the settings file; the entry is printed, or added to the file. */
export async function importProject(cli: Cli, config: string, options: ImportProjectOptions): Promise<ExitCode> {
  const { world, printer } = cli;
  const slug = basename(config, extname(config));
  const project = readPixlProject(await readNamed(cli, config));
  const source = { file: cli.options().config, environment: world.environment, cwd: world.workingFolder };
  const settingsFile = settingsFileOf(source);
  const profile = `profiles/${slug}.yaml`;
  const made = pixlSettingsEntry(project, {
    ...options,
    slug,
    profile,
    archives: options.archive,
    destinations: options.destination,
  });
  if (made === undefined) {
    const problem = `destination.dicom is ${project.destination?.dicom ?? "absent"}: name a destination of the settings by --destination`;
    throw new GatewayError("USAGE_INVALID", { problem });
  }
  const { destinations, projects } = made.entry;
  const add = options.add ? await addToSettings(settingsFile, { destinations, projects }) : undefined;
  const path = join(dirname(settingsFile), profile);
  const warnings = await writeProfile(cli, config, project, { ...options, slug, path });
  if (!cli.isRehearsal()) await add?.();
  const notes = [...warnings, ...made.notes];
  const document = { project: slug, settingsFile, profile, ...made, notes, added: options.add === true };
  if (printer.json) await printer.document(document, () => []);
  else if (options.add) await printer.text(`${remarksOf(made, notes).join("\n")}\n`);
  else await printer.text(entryText(made, notes));
  return EXIT.fine;
}

interface ProfilePlace extends Pick<ImportProjectOptions, "acceptFreeText" | "imageSizes" | "signedOff" | "force"> {
  readonly slug: string;
  readonly path: string;
}

/** @returns what is not as PIXL has it */
async function writeProfile(
  cli: Cli,
  config: string,
  project: PixlProject,
  { slug, path, acceptFreeText, imageSizes = [], signedOff, force }: ProfilePlace,
): Promise<readonly string[]> {
  if (force !== true && (await isThere(path))) {
    throw new GatewayError("USAGE_INVALID", { problem: "the project's profile is there already: --force replaces it" });
  }
  const masks = await masksText(cli, config, project, imageSizes.map(imageSizeOf));
  const masksName = `${slug}-masks.yaml`;
  const { document, warnings } = importPixlTagOperations(await tagOperationsOf(cli, config, project), {
    name: profileNameOf(slug),
    acceptFreeText: acceptFreeText === true,
    project,
    masks: masks === undefined ? [] : [masksName],
    ...(signedOff === undefined ? {} : { signedOff }),
  });
  if (cli.isRehearsal()) return warnings;
  await makeFolders(dirname(path));
  if (masks !== undefined) await writeText(join(dirname(path), masksName), masks);
  await writeText(path, yamlText(document));
  return warnings;
}

/** Names of profiles stand in every object: they are shorter than PIXL's slugs may be. */
function profileNameOf(slug: string): string {
  return slug
    .toLowerCase()
    .replace(/[^a-z0-9-]+/g, "-")
    .slice(0, 40)
    .replace(/-+$/, "");
}

function entryText(made: PixlSettings, notes: readonly string[]): string {
  const remarks = remarksOf(made, notes).map((line) => `# ${line}\n`);
  return remarks.join("") + yamlText(withoutEmpty(made.entry));
}

function withoutEmpty({ destinations, projects }: SettingsEntry): Partial<SettingsEntry> {
  return destinations.length === 0 ? { projects } : { destinations, projects };
}

function remarksOf({ files }: PixlSettings, notes: readonly string[]): readonly string[] {
  return [...notes, ...files.map(({ file, content }) => `${file}: ${content}.`)];
}
