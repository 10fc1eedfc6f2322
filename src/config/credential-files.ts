import { createPrivateKey, type KeyObject, X509Certificate } from "node:crypto";
import { open } from "node:fs/promises";
import { GatewayError } from "../errors/gateway-error.ts";
import { pemCertificates } from "../network/upper-layer/pem-certificates.ts";

/** A system's bundle of authorities has some hundred kilobytes: a mistaken path is not read whole. */
const PEM_LIMIT_BYTES = 4 << 20;
const PASSWORD_LIMIT_BYTES = 1_024;
const TOKEN_LIMIT_BYTES = 16_384;
const LINE_END_BYTES = 2;
const READABLE_BY_OTHERS = 0o077;

export interface CertificateFile {
  /** Its certificates alone, each on lines of its own. */
  readonly pem: string;
  /** In the order of the file, never empty. */
  readonly certificates: readonly [X509Certificate, ...X509Certificate[]];
}

/** @throws GatewayError CERTIFICATE_FILE_UNREADABLE, CERTIFICATE_FILE_MALFORMED */
export async function readCertificateFile(path: string): Promise<CertificateFile> {
  const { text } = await readUpTo(path, PEM_LIMIT_BYTES).catch((cause: unknown) => {
    throw new GatewayError("CERTIFICATE_FILE_UNREADABLE", { path }, cause);
  });
  try {
    const texts = pemCertificates(text);
    const [first, ...others] = texts.map((pem) => new X509Certificate(pem));
    if (first === undefined) throw new RangeError("no certificate");
    return { pem: texts.map((pem) => `${pem}\n`).join(""), certificates: [first, ...others] };
  } catch (thrown) {
    throw new GatewayError("CERTIFICATE_FILE_MALFORMED", { path }, thrown);
  }
}

export interface KeyFile {
  readonly pem: string;
  readonly key: KeyObject;
}

/** @throws GatewayError SECRET_FILE_UNREADABLE, SECRET_FILE_READABLE_BY_OTHERS, CERTIFICATE_KEY_MALFORMED */
export async function readKeyFile(path: string): Promise<KeyFile> {
  const pem = await readSecret(path, PEM_LIMIT_BYTES);
  try {
    return { pem, key: createPrivateKey(pem) };
  } catch (thrown) {
    throw new GatewayError("CERTIFICATE_KEY_MALFORMED", { path }, thrown);
  }
}

/** One line, its end taken off. @throws GatewayError SECRET_FILE_UNREADABLE, SECRET_FILE_READABLE_BY_OTHERS, PASSWORD_FILE_MALFORMED */
export function readPasswordFile(path: string): Promise<string> {
  return readSecretLine(path, PASSWORD_LIMIT_BYTES);
}

/** A bearer token, as `readPasswordFile`: signed ones with many claims are long. */
export function readTokenFile(path: string): Promise<string> {
  return readSecretLine(path, TOKEN_LIMIT_BYTES);
}

async function readSecretLine(path: string, limitBytes: number): Promise<string> {
  const text = await readSecret(path, limitBytes + LINE_END_BYTES);
  const password = text.replace(/\r?\n$/, "");
  const isWhole = password.length > 0 && Buffer.byteLength(password) <= limitBytes;
  if (!isWhole || /[\r\n]/.test(password)) throw new GatewayError("PASSWORD_FILE_MALFORMED", { path });
  return password;
}

/** @throws GatewayError SECRET_FILE_UNREADABLE, SECRET_FILE_READABLE_BY_OTHERS */
export function readSecretText(path: string, limitBytes: number): Promise<string> {
  return readSecret(path, limitBytes);
}

async function readSecret(path: string, limitBytes: number): Promise<string> {
  const { text, mode } = await readUpTo(path, limitBytes).catch((cause: unknown) => {
    throw new GatewayError("SECRET_FILE_UNREADABLE", { path }, cause);
  });
  if ((mode & READABLE_BY_OTHERS) !== 0) throw new GatewayError("SECRET_FILE_READABLE_BY_OTHERS", { path });
  return text;
}

async function readUpTo(path: string, limitBytes: number): Promise<{ readonly text: string; readonly mode: number }> {
  await using file = await open(path, "r");
  const { mode, size } = await file.stat();
  const buffer = Buffer.alloc(Math.min(size + 1, limitBytes));
  const { bytesRead } = await file.read(buffer, 0, buffer.length, 0);
  return { text: buffer.toString("utf8", 0, bytesRead), mode };
}
