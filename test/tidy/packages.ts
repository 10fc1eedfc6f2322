/** Licences under which a package may be used and passed on. */
const PERMISSIVE = new Set([
  "0BSD",
  "Apache-2.0",
  "BlueOak-1.0.0",
  "BSD-2-Clause",
  "BSD-3-Clause",
  "CC0-1.0",
  "ISC",
  "MIT",
  "MIT-0",
  "Unlicense",
]);

/** Further ones, of what only tests run: changes to its own files would have to be published. */
const FOR_TESTS = new Set(["MPL-2.0"]);

/** What a package's own file says; old ones have a list of choices. */
export interface PackageFile {
  readonly license?: string;
  readonly licenses?: readonly { readonly type: string }[];
}

export function licenceOf({ license, licenses = [] }: PackageFile): string {
  return license ?? licenses.map(({ type }) => type).join(" OR ");
}

export function mayServeTests(licence: string): boolean {
  return isPermissive(licence) || FOR_TESTS.has(licence);
}

/** An SPDX expression: of `OR` one must be permissive, of `AND` each. */
export function isPermissive(expression: string): boolean {
  return expression
    .replaceAll(/[()]/g, " ")
    .split(/\sOR\s/)
    .some((choice) => choice.split(/\sAND\s/).every((licence) => PERMISSIVE.has(licence.trim())));
}

/** Packages of a lockfile that name the host they came from. */
export function packagesWithHost(lockfile: {
  readonly packages: Readonly<Record<string, { readonly resolved?: string }>>;
}): readonly string[] {
  return Object.entries(lockfile.packages)
    .filter(([, { resolved }]) => resolved !== undefined && /^\w+:\/\//.test(resolved))
    .map(([path]) => path);
}

/** Packages that are installed with the product, direct or not, under a licence that is not permissive. */
export function refusedLicences(
  lockfile: {
    readonly packages: Readonly<Record<string, { readonly license?: string; readonly dev?: boolean }>>;
  },
  /** Lockfiles know no lists. */
  packageFile: (path: string) => PackageFile,
): readonly string[] {
  return Object.entries(lockfile.packages)
    .filter(([path, { dev }]) => path !== "" && dev !== true)
    .map(([path, { license }]) => [path, license ?? licenceOf(packageFile(path))] as const)
    .filter(([, licence]) => !isPermissive(licence))
    .map(([path, licence]) => `${path}: ${licence === "" ? "no licence" : licence}`);
}
