import { z } from "zod";
import { type FileProblem, problemOf } from "../../units/file-problems.ts";
import { isPatternText } from "./pattern.ts";
import type { PixlFile } from "./pixl-operations.ts";
import type { WrittenProfile } from "./profile-document.ts";
import { ProfileError } from "./profile-problems.ts";
import { readYaml, schemaFindings } from "./read-profile.ts";

/** What PIXL's configuration of a project says of its images (pixl_core/project_config/pixl_config_model.py). */
export interface PixlProject {
  /** Names of files in PIXL's own folders. */
  readonly files: {
    readonly base: readonly string[];
    readonly manufacturerOverrides: readonly string[];
    readonly recipes: readonly string[];
  };
  /** As the file says; PIXL knows the project by the file's own name. */
  readonly name: string | undefined;
  readonly modalities: readonly string[];
  readonly filters: NonNullable<WrittenProfile["filters"]>;
  /** What the names of its secrets in the key vault begin with, where that is not the project's name. */
  readonly secretPrefix: string | undefined;
  readonly destination: PixlDestination | undefined;
  /** Keys that PIXL reads over, by their places. */
  readonly unknown: readonly string[];
}

export interface PixlDestination {
  readonly dicom: (typeof DESTINATIONS)[number];
  readonly parquet: (typeof DESTINATIONS)[number];
}

const DESTINATIONS = ["none", "ftps", "dicomweb", "xnat", "tre"] as const;

/** PIXL's own, where the file says nothing. */
const MINIMUM_INSTANCES = 2;
const MOST = 1_000;

const fileName = z.string().regex(/^[A-Za-z0-9_][A-Za-z0-9._-]{0,99}$/, "must be the name of a file");
const fileNames = z.array(fileName).max(MOST);
const projectFile = z.object({
  project: z.object({
    name: z.string().max(MOST).optional(),
    azure_kv_alias: z
      .string()
      .regex(/^[A-Za-z0-9-]{1,100}$/, "must be the beginning of names of secrets")
      .nullish(),
    modalities: z
      .array(z.string().regex(/^[A-Z0-9_ ]{1,16}$/, "must be a Modality"))
      .min(1)
      .max(MOST),
  }),
  tag_operation_files: z.object({ base: fileNames.min(1), manufacturer_overrides: fileNames.nullish() }),
  image_operation_files: z.object({ deid_recipes: fileNames.nullish() }).nullish(),
  // Without them PIXL lets nothing pass.
  allowed_manufacturers: z
    .array(
      z.object({ regex: z.string().min(1).max(1000), exclude_series_numbers: z.array(z.int()).max(MOST).default([]) }),
    )
    .min(1)
    .max(MOST),
  min_instances_per_series: z.int().nullish(),
  // An empty one is part of every description.
  series_filters: z.array(z.string().min(1, "must not be empty").max(1000)).max(MOST).nullish(),
  destination: z.object({ dicom: z.enum(DESTINATIONS), parquet: z.enum(DESTINATIONS) }).optional(),
});

/** @throws ProfileError with every problem of the file */
export function readPixlProject(file: PixlFile): PixlProject {
  const { values, problems, locate } = readYaml(file.text);
  const refuse = (found: readonly FileProblem[]): never => {
    throw new ProfileError(
      found.map((problem) => ({ ...problem, path: problem.path === "" ? file.name : `${file.name}: ${problem.path}` })),
      "PIXL_OPERATIONS_INVALID",
    );
  };
  if (problems.length > 0) return refuse(problems);
  const parsed = projectFile.safeParse(values);
  if (!parsed.success) return refuse(schemaFindings(parsed.error.issues).map(locate));
  const { project, tag_operation_files: files, image_operation_files: images } = parsed.data;
  return {
    files: {
      base: files.base,
      manufacturerOverrides: files.manufacturer_overrides ?? [],
      recipes: images?.deid_recipes ?? [],
    },
    name: project.name,
    modalities: project.modalities,
    filters: filtersOf(parsed.data),
    secretPrefix: project.azure_kv_alias ?? undefined,
    destination: parsed.data.destination,
    unknown: [...unknownKeys(values)],
  };
}

/** The keys of each group of the file; of a list's items where the name ends with `[]`. */
const KNOWN_KEYS: Readonly<Record<string, readonly string[]>> = {
  "": Object.keys(projectFile.shape),
  project: ["name", "azure_kv_alias", "modalities"],
  tag_operation_files: ["base", "manufacturer_overrides"],
  image_operation_files: ["deid_recipes"],
  "allowed_manufacturers[]": ["regex", "exclude_series_numbers"],
  destination: ["dicom", "parquet"],
};

/** What PIXL itself reads over, by its place. */
function* unknownKeys(value: unknown, path = "", group = ""): Generator<string> {
  if (Array.isArray(value)) {
    for (const [index, item] of value.entries()) yield* unknownKeys(item, `${path}[${index}]`, `${group}[]`);
    return;
  }
  const known = KNOWN_KEYS[group];
  if (known === undefined || typeof value !== "object" || value === null) return;
  for (const [key, child] of Object.entries(value)) {
    const at = path === "" ? key : `${path}.${key}`;
    if (!known.includes(key)) yield at;
    else yield* unknownKeys(child, at, group === "" ? key : `${group}.${key}`);
  }
}

function filtersOf(config: z.output<typeof projectFile>): PixlProject["filters"] {
  const makers = config.allowed_manufacturers.map(({ regex, exclude_series_numbers: deny }) => ({
    manufacturer: searched(regex),
    deny,
  }));
  const descriptions = config.series_filters ?? [];
  const fewest = config.min_instances_per_series ?? MINIMUM_INSTANCES;
  const withNumbers = makers.some(({ deny }) => deny.length > 0);
  return {
    modality: { allow: config.project.modalities },
    manufacturer: { allow: makers.map(({ manufacturer }) => manufacturer), on_missing: "exclude" },
    // An object without a number is left out whether or not numbers are.
    series_number: { ...(withNumbers ? { by_manufacturer: untilLast(makers) } : {}), on_missing: "exclude" },
    ...(descriptions.length === 0 ? {} : { series_description: { deny: descriptions.map(description) } }),
    ...(fewest > 1 ? { min_instances_per_series: fewest } : {}),
  };
}

/** The first that matches decides, so one that excludes nothing matters where another follows. */
function untilLast<T extends { readonly deny: readonly number[] }>(makers: readonly T[]): T[] {
  return makers.slice(0, makers.findLastIndex(({ deny }) => deny.length > 0) + 1);
}

/** As PIXL searches it: anywhere, in any letter case. */
export function searched(regex: string): string {
  return `/${regex.replaceAll("/", "\\/")}/i`;
}

/** A text, even one that looks like a regular expression of ours. */
function description(text: string): string {
  return isPatternText(text) ? `/${text.replace(/[\\^$.*+?()[\]{}|/]/g, "\\$&")}/i` : text;
}

/** Directives of a recipe (github.com/pydicom/deid) that keep what is within the Sequence of Ultrasound Regions, and nothing else. */
const REGION_DIRECTIVES: readonly RegExp[] = [
  /^FORMAT dicom$/,
  /^%filter [a-z]+$/,
  /^LABEL .+$/,
  /^contains BurnedInAnnotation No$/i,
  /^coordinates all$/,
  /^present SequenceOfUltrasoundRegions$/,
];
const KEEP_REGIONS = /^keepcoordinates from:SequenceOfUltrasoundRegions$/;
/** Ultrasound and Ultrasound Multi-frame Image Storage. PS3.4 B.5. */
const ULTRASOUND = ["1.2.840.10008.5.1.4.1.1.6.1", "1.2.840.10008.5.1.4.1.1.3.1"];

export interface ImageSize {
  readonly rows: number;
  readonly columns: number;
}

/**
 * A mask file for images of these sizes that does what the recipe does: masks go by the image's size.
 * @throws ProfileError for a recipe that does something else
 */
export function masksOfRecipe(recipe: PixlFile, sizes: readonly ImageSize[]): { readonly masks: readonly unknown[] } {
  const lines = recipe.text.split(/\r?\n/).map((line) => line.replace(/#.*$/, "").trim());
  const problems = lines.flatMap((line, index): FileProblem[] => {
    if (line === "" || KEEP_REGIONS.test(line) || REGION_DIRECTIVES.some((directive) => directive.test(line)))
      return [];
    return [problemInLine(recipe.name, index + 1, "This directive cannot be carried out: write a mask file by hand.")];
  });
  if (problems.length === 0 && !lines.some((line) => KEEP_REGIONS.test(line)))
    problems.push(problemInLine(recipe.name, 1, "The recipe keeps no regions: write a mask file by hand."));
  if (problems.length > 0) throw new ProfileError(problems, "PIXL_OPERATIONS_INVALID");
  return {
    masks: sizes.map(({ rows, columns }) => ({
      name: `regions-${rows}x${columns}`,
      when: { sop_class: ULTRASOUND, rows, columns },
      outside: "regions",
    })),
  };
}

function problemInLine(name: string, line: number, message: string): FileProblem {
  return { ...problemOf({ path: [name, line], code: "PIXL_OPERATION_INVALID", message }), line };
}
