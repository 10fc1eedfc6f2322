import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";

/** What the virtual environment holds, with what each needs: every machine tests with the same. */
export const PYTHON_PACKAGES = [
  "pydicom==3.0.2",
  "pynetdicom==3.0.4",
  "SQLAlchemy==2.1.9",
  "typing_extensions==4.16.0",
] as const;

/** Beside the packages: outside of git, kept from run to run. */
export const PYTHON_FOLDER = join(import.meta.dirname, "..", "..", "node_modules", ".cache", "radferry", "python");

/** Written when all packages are in: a virtual environment without it, or with other ones, is made anew. */
export const PACKAGES_FILE = "radferry-packages.txt";

/** The interpreter of the virtual environment; undefined when it is not there, or not complete. */
export function findPythonPeers(folder = PYTHON_FOLDER): string | undefined {
  const interpreter = join(folder, "bin", "python");
  const list = join(folder, PACKAGES_FILE);
  if (!existsSync(interpreter) || !existsSync(list)) return undefined;
  return readFileSync(list, "utf8") === PYTHON_PACKAGES.join("\n") ? interpreter : undefined;
}

/** Whether tests with pynetdicom can run; if not, one line says so. Never fails: it comes from a package index that not every machine reaches. */
export function requirePythonPeers(): boolean {
  if (findPythonPeers() !== undefined) return true;
  process.stderr.write("pynetdicom is not installed: its tests are skipped (npm test installs it where pip can)\n");
  return false;
}
