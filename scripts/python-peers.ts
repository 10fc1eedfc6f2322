import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { PACKAGES_FILE, PYTHON_PACKAGES } from "../test/peers/python-peers.ts";

/** Runs a program quietly; false when it failed. */
export type RunProgram = (program: string, args: readonly string[]) => boolean;

/** Debian's own first: the one that its python3-venv completes. */
const INTERPRETERS = [
  "/usr/bin/python3",
  "python3",
  "python3.14",
  "python3.13",
  "python3.12",
  "python3.11",
  "python3.10",
];

/** Debian's python3 comes without ensurepip; pynetdicom 3 needs Python 3.10. */
const PROBE = "import ensurepip, sys, venv; sys.exit(sys.version_info < (3, 10))";

/** A Python that can make virtual environments. */
export function findPython(succeeds: RunProgram): string | undefined {
  return INTERPRETERS.find((interpreter) => succeeds(interpreter, ["-c", PROBE]));
}

/** Makes the virtual environment of the test peers, in place of one that was left unfinished. @returns whether it is complete. */
export function makePythonPeers(folder: string, python: string, run: RunProgram): boolean {
  const install = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-input"];
  // pyftpdlib is published as source alone, and needs no compiler.
  const limits = ["--only-binary=:all:", "--no-binary=pyftpdlib", "--retries=1", "--timeout=20"];
  const isComplete =
    run(python, ["-m", "venv", "--clear", folder]) &&
    run(join(folder, "bin", "python"), [...install, ...limits, ...PYTHON_PACKAGES]);
  if (isComplete) writeFileSync(join(folder, PACKAGES_FILE), PYTHON_PACKAGES.join("\n"));
  return isComplete;
}
