import { chmod, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { makeCertificate, type TestCertificate } from "./certificates.ts";
import { freePort } from "./free-port.ts";
import { type RunningPeer, startServerProgram } from "./process.ts";
import { findPeer } from "./require-peer.ts";

/** The FTP server of many Linux machines. It lets anybody in who speaks TLS, and wants data connections to resume the session. */
export interface Vsftpd extends RunningPeer {
  readonly port: number;
  /** What its user sees as `/`; it may write below `incoming` alone. */
  readonly folder: string;
  readonly username: string;
  readonly password: string;
  readonly certificate: TestCertificate;
}

/** Needs root: each session changes into a jail. */
export async function startVsftpd(security: "implicit" | "explicit"): Promise<Vsftpd> {
  const [port, home] = [await freePort(), await mkdtemp(join(tmpdir(), "vsftpd-"))];
  await chmod(home, 0o755);
  const [folder, jail] = [join(home, "files"), join(home, "jail")];
  await mkdir(folder);
  await mkdir(jail);
  await mkdir(join(folder, "incoming"));
  await chmod(join(folder, "incoming"), 0o777);
  const certificate = await makeCertificate(home, "vsftpd");
  const settings = {
    background: "NO",
    listen: "YES",
    listen_address: "127.0.0.1",
    listen_port: port,
    seccomp_sandbox: "NO",
    secure_chroot_dir: jail,
    anonymous_enable: "YES",
    anon_root: folder,
    write_enable: "YES",
    anon_upload_enable: "YES",
    anon_mkdir_write_enable: "YES",
    anon_other_write_enable: "YES",
    anon_umask: "022",
    ssl_enable: "YES",
    implicit_ssl: security === "implicit" ? "YES" : "NO",
    allow_anon_ssl: "YES",
    force_anon_logins_ssl: "YES",
    force_anon_data_ssl: "YES",
    require_ssl_reuse: "YES",
    ssl_ciphers: "HIGH",
    rsa_cert_file: certificate.certificateFile,
    rsa_private_key_file: certificate.keyFile,
  };
  const file = join(home, "vsftpd.conf");
  const lines = Object.entries(settings).map(([name, value]) => `${name}=${value}`);
  await writeFile(file, `${lines.join("\n")}\n`);
  const running = await startServerProgram(findPeer("vsftpd") ?? "vsftpd", [file], port, home);
  return {
    port,
    folder,
    username: "anonymous",
    password: "radferry@example.org",
    certificate,
    output: running.output,
    async [Symbol.asyncDispose]() {
      await running[Symbol.asyncDispose]();
      await rm(home, { recursive: true, force: true });
    },
  };
}
