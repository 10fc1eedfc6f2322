import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import type { TestCertificate } from "./certificates.ts";
import { freePort } from "./free-port.ts";
import { type RestartablePeer, type RunningPeer, startRestartableProgram } from "./process.ts";

/** s3rver: an object store that keeps objects as files, and believes whoever knows the one key. */
export interface S3Peer extends RunningPeer {
  readonly port: number;
  readonly endpoint: string;
  readonly bucket: string;
  /** Where its objects are, each with files of facts beside it. */
  readonly folder: string;
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly program: RestartablePeer;
}

const BUCKET = "research";
/** s3rver's own (its README). */
const KEY = "S3RVER";

/** @param certificate with which it speaks HTTPS */
export async function startS3Server(certificate?: TestCertificate): Promise<S3Peer> {
  const [port, home] = [await freePort(), await mkdtemp(join(tmpdir(), "s3-"))];
  const configuration = join(home, "bucket.xml");
  await writeFile(configuration, "<CORSConfiguration></CORSConfiguration>");
  const program = join(dirname(createRequire(import.meta.url).resolve("s3rver/package.json")), "bin", "s3rver.js");
  const place = ["--directory", join(home, "objects"), "--address", "127.0.0.1", "--port", `${port}`];
  const tls = certificate === undefined ? [] : ["--key", certificate.keyFile, "--cert", certificate.certificateFile];
  const args = [program, ...place, ...tls, "--no-vhost-buckets", "--silent", "--configure-bucket", BUCKET];
  const running = await startRestartableProgram(process.execPath, args, port, home);
  return {
    port,
    endpoint: `${certificate === undefined ? "http" : "https"}://127.0.0.1:${port}`,
    bucket: BUCKET,
    folder: join(home, "objects", BUCKET),
    accessKeyId: KEY,
    secretAccessKey: KEY,
    program: running,
    output: running.output,
    async [Symbol.asyncDispose]() {
      await running[Symbol.asyncDispose]();
      await rm(home, { recursive: true, force: true });
    },
  };
}
