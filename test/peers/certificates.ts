import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { runProgram } from "./process.ts";

/** A certificate that has signed itself, so that it is its own authority, or that another one has signed; PEM texts and the files they are in. */
export interface TestCertificate {
  readonly certificate: string;
  readonly key: string;
  readonly certificateFile: string;
  readonly keyFile: string;
}

export interface CertificateOptions {
  /** Subject alternative names as OpenSSL writes them; this machine's when absent. */
  readonly names?: string;
  /** Days from now that it is valid; negative: it has expired. */
  readonly days?: number;
  /** Whose key signs it. Absent: its own. */
  readonly authority?: TestCertificate;
  /** It may sign others. */
  readonly isAuthority?: boolean;
}

/** Makes a key and a certificate for it in the folder, with the `openssl` program. The name is that of its files and its subject. */
export async function makeCertificate(
  folder: string,
  name: string,
  options: CertificateOptions = {},
): Promise<TestCertificate> {
  const { names = "DNS:localhost,IP:127.0.0.1", days = 2, authority, isAuthority = false } = options;
  const [keyFile, certificateFile] = [join(folder, `${name}.key`), join(folder, `${name}.crt`)];
  const [requestFile, extensionsFile] = [join(folder, `${name}.csr`), join(folder, `${name}.ext`)];
  await writeFile(
    extensionsFile,
    `subjectAltName=${names}\n${isAuthority ? "basicConstraints=critical,CA:TRUE\n" : ""}`,
  );
  const newKey = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", keyFile];
  await openssl(folder, "req", ...newKey, "-subj", `/CN=${name}`, "-out", requestFile);
  const by =
    authority === undefined
      ? ["-signkey", keyFile]
      : ["-CA", authority.certificateFile, "-CAkey", authority.keyFile, "-CAcreateserial"];
  const signing = [...by, "-days", String(days), "-extfile", extensionsFile];
  await openssl(folder, "x509", "-req", "-in", requestFile, ...signing, "-out", certificateFile);
  const [certificate, key] = await Promise.all([readFile(certificateFile, "utf8"), readFile(keyFile, "utf8")]);
  return { certificate, key, certificateFile, keyFile };
}

async function openssl(folder: string, ...args: readonly string[]): Promise<void> {
  const { exitCode, output } = await runProgram("openssl", args, folder);
  if (exitCode !== 0) throw new Error(`openssl ${args[0]} failed:\n${output}`);
}
