import { readFile } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { Readable } from "node:stream";
import { stringify } from "yaml";
import type { PixlTagOperations } from "../../deid/profiles/import-pixl.ts";
import type { PixlFile } from "../../deid/profiles/pixl-operations.ts";
import { type ImageSize, masksOfRecipe, type PixlProject } from "../../deid/profiles/pixl-project.ts";
import { GatewayError } from "../../errors/gateway-error.ts";
import type { Cli } from "../cli.ts";
import { isSystemError, writeWholeFile } from "../write-whole-file.ts";

/** Folders beside PIXL's configurations of projects. */
const TAG_OPERATIONS = "tag-operations";
const MANUFACTURER_OVERRIDES = join(TAG_OPERATIONS, "manufacturer-overrides");
const IMAGE_OPERATIONS = "image-operations";
const LINE_WIDTH = 140;

/** As files of ours are written. */
export function yamlText(document: unknown): string {
  return stringify(document, { lineWidth: LINE_WIDTH, aliasDuplicateObjects: false });
}

/** @throws GatewayError PROFILE_FILE_UNREADABLE */
export async function readNamed({ world }: Cli, name: string): Promise<PixlFile> {
  try {
    return { name, text: await readFile(resolve(world.workingFolder, name), "utf8") };
  } catch (thrown) {
    if (!isSystemError(thrown)) throw thrown;
    throw new GatewayError("PROFILE_FILE_UNREADABLE", { file: name, reason: thrown.code }, thrown);
  }
}

export function readAll(cli: Cli, names: readonly string[]): Promise<readonly PixlFile[]> {
  return Promise.all(names.map((name) => readNamed(cli, name)));
}

/** The tag operations that a project names, from beside its configuration. */
export async function tagOperationsOf(cli: Cli, config: string, { files }: PixlProject): Promise<PixlTagOperations> {
  return {
    base: await readAll(cli, beside(config, TAG_OPERATIONS, files.base)),
    manufacturerOverrides: await readAll(cli, beside(config, MANUFACTURER_OVERRIDES, files.manufacturerOverrides)),
  };
}

/**
 * The mask file that a project's recipes come to for images of these sizes; undefined where there is none.
 * @throws ProfileError where one of them does more than keep regions
 */
export async function masksText(
  cli: Cli,
  config: string,
  { files }: PixlProject,
  sizes: readonly ImageSize[],
): Promise<string | undefined> {
  const recipes = await readAll(cli, beside(config, IMAGE_OPERATIONS, files.recipes));
  if (sizes.length === 0) return undefined;
  // Each keeps the same regions, so that one file does for all.
  const [masks] = recipes.map((recipe) => masksOfRecipe(recipe, sizes));
  return masks === undefined ? undefined : yamlText(masks);
}

/** Readable by its owner alone, whole or absent. */
export function writeText(path: string, text: string): Promise<void> {
  return writeWholeFile(path, Readable.from([text]));
}

/** @throws GatewayError USAGE_INVALID */
export function imageSizeOf(text: string): ImageSize {
  const [, rows, columns] = /^([1-9][0-9]{0,4})x([1-9][0-9]{0,4})$/.exec(text) ?? [];
  if (rows === undefined) throw new GatewayError("USAGE_INVALID", { problem: "write an image's size as ROWSxCOLUMNS" });
  return { rows: Number(rows), columns: Number(columns) };
}

function beside(config: string, folder: string, names: readonly string[]): string[] {
  return names.map((name) => join(dirname(config), folder, name));
}
