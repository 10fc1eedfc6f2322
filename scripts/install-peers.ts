import { spawnSync } from "node:child_process";
import { existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { findPythonPeers, PYTHON_FOLDER } from "../test/peers/python-peers.ts";
import { findPeer, type Peer } from "../test/peers/require-peer.ts";
import { findPython, makePythonPeers, type RunProgram } from "./python-peers.ts";

/** Debian packages of the programs that tests talk to, and one program that shows each. */
const PEER_PACKAGES: Readonly<Record<string, Peer>> = {
  orthanc: "Orthanc",
  "orthanc-dicomweb": "libOrthancDicomWeb.so",
  dcmtk: "dcmqrscp",
  dicom3tools: "dciodvfy",
  "libgdcm-tools": "gdcmanon",
  openssl: "openssl",
  "rabbitmq-server": "rabbitmq-server",
  postgresql: "initdb",
  vsftpd: "vsftpd",
  chromium: "chromium",
  "openssh-server": "sshd",
  prometheus: "promtool",
};

/** What makes Debian's python3 able to make virtual environments. */
const PYTHON_PACKAGE = "python3-venv";

/** apt-get and pip have time-outs of their own; this ends what hangs all the same. */
const RUN_TIMEOUT_MS = 900_000;

/** Answers "not now" to every package that would start a service. Debian policy, invoke-rc.d. */
const POLICY_FILE = "/usr/sbin/policy-rc.d";
const POLICY = "#!/bin/sh\nexit 101\n";

/** What the machine is and what it may be given: a parameter, so that tests need no other machine. */
export interface Machine {
  isMissing(packageName: string): boolean;
  readonly isDebian: boolean;
  readonly isRoot: boolean;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly run: RunProgram;
  /** A Python that can make virtual environments. */
  findPython(): string | undefined;
  hasPythonPeers(): boolean;
  makePythonPeers(python: string): boolean;
  print(line: string): void;
}

export const thisMachine: Machine = {
  isMissing: (packageName) => {
    const program = PEER_PACKAGES[packageName];
    return program === undefined || findPeer(program) === undefined;
  },
  isDebian: existsSync("/usr/bin/apt-get") && /^ID(?:_LIKE)?=.*debian/m.test(osRelease()),
  isRoot: process.getuid?.() === 0,
  environment: process.env,
  run: (program, args) => withoutStartingServices(() => runQuietly(program, args)),
  findPython: () => findPython((program, args) => spawnSync(program, args, { stdio: "ignore" }).status === 0),
  hasPythonPeers: () => findPythonPeers() !== undefined,
  makePythonPeers: (python) => makePythonPeers(PYTHON_FOLDER, python, runQuietly),
  print: (line) => console.log(line),
};

/** Installs the missing peers where that is allowed, and names those that stay missing. @returns whether the tests may go on. */
export function providePeers(machine: Machine): boolean {
  const wanted = Object.keys(PEER_PACKAGES);
  const missing = wanted.filter(machine.isMissing);
  const mayInstall = machine.environment.RADFERRY_NO_INSTALL !== "1";
  if (mayInstall && machine.isDebian && machine.isRoot) {
    const needsPython = !machine.hasPythonPeers() && machine.findPython() === undefined;
    installPackages(machine, needsPython ? [...missing, PYTHON_PACKAGE] : missing);
  }
  const absent = wanted.filter(machine.isMissing);
  const isRequired = machine.environment.CI === "true";
  for (const name of absent) {
    const outcome = isRequired ? "CI=true needs it" : "its tests are skipped";
    machine.print(`missing test peer ${name}: ${outcome} (Debian: apt-get install ${name})`);
  }
  providePythonPeers(machine, mayInstall);
  return absent.length === 0 || !isRequired;
}

function installPackages(machine: Machine, names: readonly string[]): void {
  if (names.length === 0) return;
  machine.print(`installing the Debian packages ${names.join(" ")} as test peers (RADFERRY_NO_INSTALL=1 declines)`);
  machine.run("apt-get", ["update", "-qq"]);
  machine.run("apt-get", ["install", "-y", "-qq", "--no-install-recommends", ...names]);
}

/** Even CI=true does not need these: not every machine reaches a package index for Python. */
function providePythonPeers(machine: Machine, mayInstall: boolean): void {
  if (machine.hasPythonPeers()) return;
  const python = mayInstall ? machine.findPython() : undefined;
  if (python !== undefined) {
    machine.print("installing pynetdicom as a test peer into node_modules/.cache (RADFERRY_NO_INSTALL=1 declines)");
    if (machine.makePythonPeers(python)) return;
  }
  machine.print(
    "missing test peer pynetdicom: its tests are skipped (needs python3 3.10 with venv, and pip's package index)",
  );
}

function osRelease(): string {
  return existsSync("/etc/os-release") ? readFileSync("/etc/os-release", "utf8") : "";
}

function runQuietly(program: string, args: readonly string[]): boolean {
  const { status, stderr } = spawnSync(program, args, {
    env: { ...process.env, DEBIAN_FRONTEND: "noninteractive" },
    stdio: ["ignore", "ignore", "pipe"],
    encoding: "utf8",
    timeout: RUN_TIMEOUT_MS,
  });
  if (status !== 0) console.error(stderr);
  return status === 0;
}

/** Tests start their own servers: one that the package started would hold the usual ports. A policy of the machine's own is left alone. */
function withoutStartingServices<T>(action: () => T): T {
  if (existsSync(POLICY_FILE)) return action();
  writeFileSync(POLICY_FILE, POLICY, { mode: 0o755 });
  try {
    return action();
  } finally {
    rmSync(POLICY_FILE, { force: true });
  }
}
