import { execFileSync } from "node:child_process";
import { accessSync, constants, readFileSync } from "node:fs";
import { cpus, release, totalmem } from "node:os";
import { delimiter, isAbsolute, join } from "node:path";

const SYSTEM_FOLDERS = ["/usr/sbin", "/usr/local/sbin"];
const ASKING_TIMEOUT_MS = 20_000;

/** Whether a program can be started, by name or path. */
export function isInstalled(program: string): boolean {
  const folders = isAbsolute(program) ? [""] : [...(process.env.PATH ?? "").split(delimiter), ...SYSTEM_FOLDERS];
  return folders.some((folder) => isExecutable(join(folder, program)));
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** How each peer is asked for its version, and what in its answer is the version. */
const PEERS = {
  dcmtk: { command: ["storescp", "--version"], version: /dcmtk: storescp v(\S+)/ },
  Orthanc: { command: ["Orthanc", "--version"], version: /Orthanc (\S+)/ },
  gdcm: { command: ["gdcmanon", "--version"], version: /gdcm (\S+)/i },
} as const;

/** One line: what the figures were measured on. `python` has pydicom and pynetdicom, where there is one. */
export function machineLine(python: string | undefined): string {
  const [cpu] = cpus();
  const facts = [
    `${cpus().length} cores`,
    `${Math.round(totalmem() / 2 ** 30)} GiB`,
    cpu?.model.trim() ?? "unknown CPU",
    `Linux ${release()}`,
    systemName(),
    `Node ${process.versions.node}`,
    ...Object.entries(PEERS).map(([name, { command, version }]) => `${name} ${asked(command, version)}`),
  ];
  for (const module of ["pydicom", "pynetdicom"]) {
    const answer =
      python === undefined ? "missing" : asked([python, "-c", `print(__import__("${module}").__version__)`], /(\S+)/);
    facts.push(`${module} ${answer}`);
  }
  return facts.join(", ");
}

function systemName(): string {
  try {
    return /^PRETTY_NAME="?([^"\n]+)"?$/m.exec(readFileSync("/etc/os-release", "utf8"))?.[1] ?? "unknown system";
  } catch {
    return "unknown system";
  }
}

function asked([program = "", ...args]: readonly string[], version: RegExp): string {
  const env = { ...process.env, PATH: [process.env.PATH, ...SYSTEM_FOLDERS].join(delimiter) };
  try {
    const output = execFileSync(program, args, { env, encoding: "utf8", timeout: ASKING_TIMEOUT_MS, stdio: "pipe" });
    return version.exec(output)?.[1] ?? "of unknown version";
  } catch {
    return "missing";
  }
}
