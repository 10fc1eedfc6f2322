import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { stringify } from "yaml";

/** A project's configuration as PIXL has it, of the shape of projects/configs/*.yaml. */
export interface PixlProjectFile {
  readonly project: Readonly<Record<string, unknown>>;
  readonly destination?: Readonly<Record<string, unknown>>;
  readonly [key: string]: unknown;
}

const NAMES: Readonly<Record<string, string>> = {
  keep: "Kept",
  replace: "Replaced",
  replace_UID: "UID",
  "secure-hash": "Patient ID",
  delete: "Deleted",
};

/** Tags by operation, as the files of tag-operations have them. */
type TagOperations = Readonly<Record<string, readonly number[]>>;

/** What every project of PIXL begins with, cut down to what the tests look at. */
const BASE_OPERATIONS: TagOperations = {
  keep: [
    0x00080008, 0x00080016, 0x00080060, 0x00080070, 0x0008103e, 0x00081030, 0x00200011, 0x00200013, 0x00280002,
    0x00280004, 0x00280010, 0x00280011, 0x00280100, 0x00280101, 0x00280102, 0x00280103, 0x7fe00010,
  ],
  replace: [0x00080020, 0x00080030, 0x00080050, 0x00080090, 0x00100010, 0x00100030, 0x00200010],
  replace_UID: [0x00080018, 0x0020000d, 0x0020000e],
  "secure-hash": [0x00100020],
};

/** Keeps what is within the regions of an ultrasound image. */
const REGIONS_RECIPE = `FORMAT dicom
%filter graylist
LABEL Clean outside of the regions
contains BurnedInAnnotation No
keepcoordinates from:SequenceOfUltrasoundRegions
`;

/** Writes `configs/<slug>.yaml` with the operations and recipes it names. @returns its path */
export async function writePixlProject(folder: string, slug: string, content: PixlProjectFile): Promise<string> {
  const configs = join(folder, "configs");
  await mkdir(join(configs, "tag-operations", "manufacturer-overrides"), { recursive: true });
  await mkdir(join(configs, "image-operations"), { recursive: true });
  const file = {
    tag_operation_files: { base: ["base.yaml"], manufacturer_overrides: ["overrides.yaml"] },
    allowed_manufacturers: [{ regex: ".*", exclude_series_numbers: [] }],
    ...content,
  };
  await writeFile(join(configs, "tag-operations/base.yaml"), stringify(operations(BASE_OPERATIONS)));
  const overrides = [{ manufacturer: "^philips", tags: operations({ keep: [0x00180050] }) }];
  await writeFile(join(configs, "tag-operations/manufacturer-overrides/overrides.yaml"), stringify(overrides));
  await writeFile(join(configs, "image-operations/regions.recipe"), REGIONS_RECIPE);
  const path = join(configs, `${slug}.yaml`);
  await writeFile(path, stringify(file));
  return path;
}

function operations(byOperation: TagOperations): readonly unknown[] {
  return Object.entries(byOperation).flatMap(([op, tags]) =>
    tags.map((tag) => ({ name: NAMES[op] ?? op, group: tag >>> 16, element: tag & 0xffff, op })),
  );
}
