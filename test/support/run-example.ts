import { execFile } from "node:child_process";
import { mkdir, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { ROOT } from "../tidy/repository.ts";

const run = promisify(execFile);

/** A folder of a program that has the package installed, as far as the package's sources go. */
export async function makeProgramFolder(folder: string): Promise<void> {
  await mkdir(join(folder, "node_modules"), { recursive: true });
  await symlink(ROOT, join(folder, "node_modules", "radferry"));
}

/** Runs an example as a program of its own; what it printed. */
export async function runExample(
  code: string,
  {
    folder,
    environment = {},
    args = [],
  }: {
    readonly folder: string;
    readonly environment?: Readonly<Record<string, string>>;
    readonly args?: readonly string[];
  },
): Promise<string> {
  const path = join(folder, "example.ts");
  await writeFile(path, code);
  const env = { ...process.env, ...environment };
  return (await run(process.execPath, [path, ...args], { cwd: folder, env })).stdout;
}
