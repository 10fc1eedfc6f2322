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
  "Unlicense",
]);

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
export function refusedLicences(lockfile: {
  readonly packages: Readonly<Record<string, { readonly license?: string; readonly dev?: boolean }>>;
}): readonly string[] {
  return Object.entries(lockfile.packages)
    .filter(([path, { license, dev }]) => path !== "" && dev !== true && !isPermissive(license ?? ""))
    .map(([path, { license }]) => `${path}: ${license ?? "no licence"}`);
}
