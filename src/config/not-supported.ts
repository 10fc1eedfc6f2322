import type { Finding } from "../units/file-problems.ts";
import type { YamlPath } from "../units/yaml-places.ts";

interface Limit {
  /** `*` stands for every list item. */
  readonly path: YamlPath;
  /** Values that this version can run; undefined: the setting may not be used at all. */
  readonly can?: readonly unknown[];
}

/** Settings that sites may already write down but that this version cannot honour. Accepting them silently would be a lie. */
const LIMITS: readonly Limit[] = [
  { path: ["archives", "*", "kind"], can: ["dimse", "dicomweb", "rad69", "orthanc", "xnat-dqr", "folder"] },
  {
    path: ["destinations", "*", "kind"],
    can: ["folder", "dimse", "dicomweb", "orthanc", "xnat", "ftps", "sftp", "s3"],
  },
];

export function findNotSupported(values: unknown): readonly Finding[] {
  return LIMITS.flatMap(({ path, can }) =>
    [...valuesAt(values, path)]
      .filter(([, value]) => value !== undefined && can?.includes(value) !== true)
      .map(([at]) => ({
        path: at,
        code: "SETTING_NOT_SUPPORTED" as const,
        ...(can === undefined ? {} : { message: `This version can only do: ${can.join(", ")}.` }),
      })),
  );
}

/** Whether a setting cannot be used in this version, whatever its value; list positions as `*`. */
export function isNeverSupported(path: YamlPath): boolean {
  return LIMITS.some((limit) => limit.can === undefined && limit.path.join(".") === path.join("."));
}

/** The values of a setting that this version can run; undefined where all are. */
export function supportedValues(path: YamlPath): readonly unknown[] | undefined {
  return LIMITS.find((limit) => limit.path.join(".") === path.join("."))?.can;
}

/** Values by the path of their setting, `*` for every list item. */
export function* valuesAt(value: unknown, pattern: YamlPath, at: YamlPath = []): Generator<[YamlPath, unknown]> {
  const [segment, ...rest] = pattern;
  if (segment === undefined) yield [at, value];
  else if (segment === "*") {
    for (const [index, item] of Array.isArray(value) ? value.entries() : [])
      yield* valuesAt(item, rest, [...at, index]);
  } else if (typeof value === "object" && value !== null && Object.hasOwn(value, segment)) {
    yield* valuesAt(Reflect.get(value, segment), rest, [...at, segment]);
  }
}
