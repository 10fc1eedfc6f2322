import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { makeCertificate, type TestCertificate } from "./certificates.ts";
import { freePort } from "./free-port.ts";
import { type RunningPeer, startServerProgram } from "./process.ts";
import { findPythonPeers } from "./python-peers.ts";

const RUNNER = join(import.meta.dirname, "ftps-server.py");

/** pyftpdlib over a folder: the server that PIXL's own tests deliver to. */
export interface FtpsPeer extends RunningPeer {
  readonly port: number;
  /** What its user sees as `/`. */
  readonly folder: string;
  readonly username: string;
  readonly password: string;
  /** It has signed itself. */
  readonly certificate: TestCertificate;
}

export interface FtpsPeerOptions {
  /** Certificate and files live in it. */
  readonly folder: string;
  readonly security: "implicit" | "explicit";
  /** Of pyftpdlib; all by default. */
  readonly permissions?: string;
  readonly password?: string;
  /** As OpenSSL writes subject alternative names. */
  readonly certificateNames?: string;
  /** Of a file it says it has stored it keeps nothing. */
  readonly forgets?: boolean;
  /** Files are ten bytes larger than it says. */
  readonly liesAboutSizes?: boolean;
  /** So many uploads are cut once they have brought `cutAfterBytes`. */
  readonly cuts?: number;
  readonly cutAfterBytes?: number;
  /** Does not rename onto a file that is there, as servers on Windows. */
  readonly refusesToReplace?: boolean;
  readonly unknownCommands?: readonly string[];
}

export async function startFtpsPeer(options: FtpsPeerOptions): Promise<FtpsPeer> {
  const { permissions = "elradfmwMT", password = "secret of ftp", certificateNames } = options;
  const interpreter = findPythonPeers();
  if (interpreter === undefined) throw new Error("pyftpdlib is not installed");
  const port = await freePort();
  const folder = join(options.folder, "files");
  await mkdir(folder, { recursive: true });
  const certificate = await makeCertificate(
    options.folder,
    "ftps",
    certificateNames === undefined ? {} : { names: certificateNames },
  );
  const username = "radferry";
  const { certificateFile, keyFile } = certificate;
  const settings = { ...options, port, folder, username, password, permissions, certificateFile, keyFile };
  const running = await startServerProgram(interpreter, [RUNNER, JSON.stringify(settings)], port, options.folder);
  return { ...running, port, folder, username, password, certificate };
}
