import { execFile } from "node:child_process";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir, userInfo } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { freePort } from "./free-port.ts";
import { type RestartablePeer, type RunningPeer, startRestartableProgram } from "./process.ts";
import { findPeer } from "./require-peer.ts";

/** OpenSSH's server with its SFTP alone; it lets this user in by a key. */
export interface Sshd extends RunningPeer {
  readonly port: number;
  /** Absolute, on this machine and on the server alike. */
  readonly folder: string;
  readonly username: string;
  readonly privateKey: string;
  readonly privateKeyFile: string;
  /** As `ssh-keygen -lf` prints it. */
  readonly hostKey: string;
  readonly program: RestartablePeer;
}

/** sshd that was started by root wants this folder (sshd(8), FILES). */
const SEPARATION_FOLDER = "/run/sshd";

export async function startSshd(): Promise<Sshd> {
  const [port, home] = [await freePort(), await mkdtemp(join(tmpdir(), "sshd-"))];
  if (process.getuid?.() === 0) await mkdir(SEPARATION_FOLDER, { recursive: true, mode: 0o755 });
  const folder = join(home, "files");
  await mkdir(folder);
  const [hostKeyFile, privateKeyFile] = [join(home, "host"), join(home, "user")];
  for (const file of [hostKeyFile, privateKeyFile]) await makeKey(file);
  const settings = {
    Port: port,
    ListenAddress: "127.0.0.1",
    HostKey: hostKeyFile,
    AuthorizedKeysFile: `${privateKeyFile}.pub`,
    PidFile: "none",
    StrictModes: "no",
    UsePAM: "no",
    PasswordAuthentication: "no",
    PermitRootLogin: "prohibit-password",
    Subsystem: "sftp internal-sftp",
    ForceCommand: "internal-sftp",
  };
  const file = join(home, "sshd_config");
  await writeFile(
    file,
    Object.entries(settings)
      .map(([name, value]) => `${name} ${value}\n`)
      .join(""),
  );
  const running = await startRestartableProgram(findPeer("sshd") ?? "sshd", ["-D", "-e", "-f", file], port, home);
  return {
    port,
    folder,
    username: userInfo().username,
    privateKey: await readFile(privateKeyFile, "utf8"),
    privateKeyFile,
    hostKey: await fingerprintOf(`${hostKeyFile}.pub`),
    program: running,
    output: running.output,
    async [Symbol.asyncDispose]() {
      await running[Symbol.asyncDispose]();
      await rm(home, { recursive: true, force: true });
    },
  };
}

const run = promisify(execFile);

async function makeKey(file: string): Promise<void> {
  await run("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-f", file]);
}

async function fingerprintOf(file: string): Promise<string> {
  const { stdout } = await run("ssh-keygen", ["-lf", file]);
  return stdout.split(" ")[1] ?? "";
}
