import { createHash, timingSafeEqual } from "node:crypto";
import { once } from "node:events";
import { Client, type FileEntryWithStats, type SFTPWrapper } from "ssh2";
import { GatewayError } from "../../errors/gateway-error.ts";
import { type FileSession, type FolderEntry, limitedTo } from "../file-transfer/file-session.ts";
import { SFTP_STATUS, sftpError, statusOf } from "./sftp-error.ts";
import { readFile, type SftpAsker, writeFile } from "./sftp-transfer.ts";

export interface SftpServer {
  readonly host: string;
  readonly port: number;
  readonly username: string;
  readonly password?: string | undefined;
  /** In the form of OpenSSH or PEM. */
  readonly privateKey?: string | undefined;
  readonly passphrase?: string | undefined;
  /** Fingerprints of the keys it may have, as `ssh-keygen -lf` prints them: `SHA256:` and the sum in base64. */
  readonly hostKeys: readonly string[];
}

/** Of silence, on the whole connection or over one request. */
const IDLE_MS = 60_000;
const ALIVE_EVERY_MS = 15_000;

/**
 * Logs in to a server whose host key is one of those named; before that nothing about us is sent.
 * @param signal ends whatever is under way
 * @throws GatewayError SFTP_…, as every method does; the signal's reason
 */
export async function openSftp(server: SftpServer, signal: AbortSignal): Promise<FileSession> {
  signal.throwIfAborted();
  const client = new Client();
  const close = (): void => void client.destroy();
  signal.addEventListener("abort", close, { once: true });
  const end = (): void => {
    signal.removeEventListener("abort", close);
    close();
  };
  const attempt = async <T>(ask: () => Promise<T>): Promise<T> => {
    try {
      return await ask();
    } catch (thrown) {
      signal.throwIfAborted();
      throw sftpError(thrown);
    }
  };
  try {
    const gone = connectionEnd(client);
    await attempt(() => logIn(client, server, gone));
    const ask = createAsker(client, gone);
    const sftp = await attempt(() => ask<SFTPWrapper>((done) => client.sftp(done)));
    sftp.on("error", () => undefined);
    return { ...sessionOver(sftp, ask, attempt), [Symbol.asyncDispose]: async () => end() };
  } catch (thrown) {
    end();
    throw thrown;
  }
}

function sessionOver(
  sftp: SFTPWrapper,
  ask: SftpAsker,
  attempt: <T>(asked: () => Promise<T>) => Promise<T>,
): Omit<FileSession, typeof Symbol.asyncDispose> {
  return {
    sizeOf: (path) => attempt(() => sizeOf(sftp, ask, path)),
    read: (path, { start, mostBytes }, sink) =>
      attempt(async () => {
        const limiter = limitedTo(mostBytes, () => new GatewayError("SFTP_REFUSED", { what: "size" }));
        await readFile({ sftp, ask, path, start }, limiter, sink);
      }),
    write: (path, content) => attempt(() => writeFile({ sftp, ask, path }, content)),
    rename: (from, to) => attempt(() => rename(sftp, ask, from, to)),
    remove: (path) => attempt(() => ask<void>((done) => sftp.unlink(path, done))),
    makeFolder: (path) => attempt(() => makeFolder(sftp, ask, path)),
    list: (path) => attempt(() => list(sftp, ask, path)),
    removeFolder: (path) => attempt(() => ask<void>((done) => sftp.rmdir(path, done))),
  };
}

/** Whoever waits is told when the connection is over: no answer comes any more. */
interface ConnectionEnd {
  readonly waiting: Set<(why: unknown) => void>;
  readonly why: () => unknown;
}

function connectionEnd(client: Client): ConnectionEnd {
  const waiting = new Set<(why: unknown) => void>();
  let why: unknown;
  const over = (thrown: unknown): void => {
    why ??= thrown;
    for (const tell of waiting) tell(why);
    waiting.clear();
  };
  client.on("error", over);
  client.on("close", () => over(new GatewayError("SFTP_UNAVAILABLE")));
  return { waiting, why: () => why };
}

/** Settles with the answer, or fails with the connection. */
async function unlessOver<T>(end: ConnectionEnd, answer: Promise<T>): Promise<T> {
  const { promise, reject } = Promise.withResolvers<never>();
  if (end.why() !== undefined) reject(end.why());
  end.waiting.add(reject);
  try {
    return await Promise.race([answer, promise]);
  } finally {
    end.waiting.delete(reject);
  }
}

async function logIn(client: Client, server: SftpServer, gone: ConnectionEnd): Promise<void> {
  const { host, port, username, password, privateKey, passphrase, hostKeys } = server;
  let isKnown = true;
  const ready = once(client, "ready");
  ready.catch(() => undefined);
  // Requests are small: each would wait 40 ms for the answer to the one before.
  client.on("connect", () => client.setNoDelay(true));
  client.connect({
    ...{ host, port, username },
    ...(password === undefined ? {} : { password }),
    ...(privateKey === undefined ? {} : { privateKey }),
    ...(passphrase === undefined ? {} : { passphrase }),
    readyTimeout: IDLE_MS,
    keepaliveInterval: ALIVE_EVERY_MS,
    keepaliveCountMax: IDLE_MS / ALIVE_EVERY_MS,
    hostVerifier(key: Buffer): boolean {
      isKnown = hostKeys.some((fingerprint) => isFingerprintOf(fingerprint, key));
      return isKnown;
    },
  });
  try {
    await unlessOver(gone, ready);
  } catch (thrown) {
    throw isKnown ? thrown : new GatewayError("SFTP_HOST_KEY_UNKNOWN", {}, thrown);
  }
}

const FINGERPRINT = /^SHA256:([A-Za-z0-9+/]{43})=?$/;

function isFingerprintOf(fingerprint: string, key: Buffer): boolean {
  const [, sum = ""] = FINGERPRINT.exec(fingerprint) ?? [];
  const expected = Buffer.from(sum, "base64");
  const actual = createHash("sha256").update(key).digest();
  return expected.length === actual.length && timingSafeEqual(expected, actual);
}

/** Each request is answered within its time, or the connection is given up. */
function createAsker(client: Client, gone: ConnectionEnd): SftpAsker {
  return async <T>(request: (done: (failed: Error | null | undefined, result: T) => void) => unknown): Promise<T> => {
    const limit = setTimeout(() => client.destroy(), IDLE_MS);
    try {
      const answered = new Promise<T>((resolve, reject) => {
        request((failed, result) => (failed ? reject(failed) : resolve(result)));
      });
      return await unlessOver(gone, answered);
    } finally {
      clearTimeout(limit);
    }
  };
}

async function sizeOf(sftp: SFTPWrapper, ask: SftpAsker, path: string): Promise<number | undefined> {
  try {
    const { size } = await ask<{ size: number }>((done) => sftp.stat(path, done));
    if (!Number.isSafeInteger(size) || size < 0) throw new GatewayError("SFTP_REFUSED", { what: "size" });
    return size;
  } catch (thrown) {
    if (statusOf(thrown) === SFTP_STATUS.noSuchFile) return undefined;
    throw thrown;
  }
}

/** The library leaves out `.` and `..` where it reads a whole folder. */
async function list(sftp: SFTPWrapper, ask: SftpAsker, path: string): Promise<readonly FolderEntry[] | undefined> {
  try {
    const entries = await ask<readonly FileEntryWithStats[]>((done) => sftp.readdir(path, done));
    return entries.map(({ filename, attrs }) => ({ name: filename, isFolder: attrs.isDirectory() }));
  } catch (thrown) {
    if (statusOf(thrown) === SFTP_STATUS.noSuchFile) return undefined;
    throw thrown;
  }
}

/** Over what is there where the server can (posix-rename@openssh.com); version 3 itself refuses that. */
async function rename(sftp: SFTPWrapper, ask: SftpAsker, from: string, to: string): Promise<void> {
  try {
    await ask<void>((done) => sftp.ext_openssh_rename(from, to, done));
  } catch (thrown) {
    // Thrown on this side where the server did not offer it.
    if (thrown instanceof GatewayError || statusOf(thrown) !== undefined) throw thrown;
    await ask<void>((done) => sftp.rename(from, to, done)).catch((refused: unknown) => {
      // What is there already is a mere failure in version 3.
      throw statusOf(refused) === SFTP_STATUS.failure ? new GatewayError("SFTP_REFUSED", {}, refused) : refused;
    });
  }
}

/** One after the other: what is there already is refused, and that tells nothing. */
async function makeFolder(sftp: SFTPWrapper, ask: SftpAsker, path: string): Promise<void> {
  const parts = path.split("/");
  for (const [index, part] of parts.entries()) {
    if (part === "") continue;
    await ask<void>((done) => sftp.mkdir(parts.slice(0, index + 1).join("/"), done)).catch((thrown: unknown) => {
      if (statusOf(thrown) === undefined) throw thrown;
    });
  }
}
