import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { Client, type FileInfo, FTPError } from "basic-ftp";
import { GatewayError } from "../../errors/gateway-error.ts";
import { type FileSession, type FolderEntry, limitedTo } from "../file-transfer/file-session.ts";
import type { TlsClientOptions } from "../upper-layer/tls.ts";
import { clientContext } from "../upper-layer/tls-context.ts";
import { ftpsError } from "./ftps-error.ts";

export interface FtpsServer {
  readonly host: string;
  readonly port: number;
  /** TLS from the first byte, as PIXL's servers want it, or by AUTH TLS (RFC 4217 4). */
  readonly security: "implicit" | "explicit";
  readonly username: string;
  readonly password: string;
  readonly tls: TlsClientOptions;
}

/** Of silence, on either connection. */
const IDLE_MS = 60_000;
const LARGEST_LISTING_BYTES = 64 * 1024 * 1024;

/** Requested action not taken: there is no such file, or not for us. RFC 959 4.2.2. */
const NOT_THERE = 550;
/** Replies of servers that do not know a command. RFC 959 4.2.2. */
const NOT_KNOWN: ReadonlySet<number> = new Set([500, 502, 504]);

/**
 * Logs in over TLS with a verified certificate; data connections are secured by the same session. Credentials are never sent in the clear.
 * @param signal ends whatever is under way
 * @throws GatewayError FTPS_…, TLS_…, as every method does; DESTINATION_FULL; the signal's reason
 */
export async function openFtps(server: FtpsServer, signal: AbortSignal): Promise<FileSession> {
  signal.throwIfAborted();
  const client = new Client(IDLE_MS, { allowSeparateTransferHost: false, maxListingBytes: LARGEST_LISTING_BYTES });
  const close = () => client.close();
  signal.addEventListener("abort", close, { once: true });
  const attempt = async <T>(ask: () => Promise<T>): Promise<T> => {
    try {
      return await ask();
    } catch (thrown) {
      signal.throwIfAborted();
      throw ftpsError(thrown);
    }
  };
  const end = () => {
    signal.removeEventListener("abort", close);
    close();
  };
  try {
    await attempt(() => logIn(client, server));
  } catch (thrown) {
    end();
    throw thrown;
  }
  return {
    sizeOf: (path) => attempt(() => sizeOf(client, path)),
    read: (path, { start, mostBytes }, sink) =>
      attempt(async () => {
        const limiter = limitedTo(mostBytes, () => new GatewayError("FTPS_REFUSED", { what: "size" }));
        const written = pipeline(limiter, sink);
        try {
          await Promise.all([client.downloadTo(limiter, path, start), written]);
        } catch (thrown) {
          // What was refused before the first byte leaves the sink open.
          limiter.destroy();
          await written.catch(() => undefined);
          throw thrown;
        }
      }),
    write: (path, content) => attempt(async () => void (await client.uploadFrom(Readable.from(content), path))),
    rename: (from, to) => attempt(async () => void (await client.rename(from, to))),
    remove: (path) => attempt(async () => void (await client.remove(path))),
    makeFolder: (path) => attempt(() => makeFolder(client, path)),
    list: (path) => attempt(() => list(client, path)),
    removeFolder: (path) => attempt(async () => void (await client.removeEmptyDir(path))),
    async [Symbol.asyncDispose]() {
      end();
    },
  };
}

async function logIn(client: Client, { host, port, security, username, password, tls }: FtpsServer): Promise<void> {
  // What certificates of data connections are checked against, too: the name where there is one, else the host.
  const secureOptions = { secureContext: clientContext(tls), host, servername: tls.serverName ?? nameOf(host) };
  const secure = security === "implicit" ? "implicit" : true;
  await client.access({ host, port, user: username, password, secure, secureOptions });
}

/** An address is not sent as a name. RFC 6066 3. */
function nameOf(host: string): string {
  return /^[\d.]+$|:/.test(host) ? "" : host;
}

async function sizeOf(client: Client, path: string): Promise<number | undefined> {
  try {
    const sizeBytes = await client.size(path);
    if (!Number.isSafeInteger(sizeBytes) || sizeBytes < 0) throw new GatewayError("FTPS_REFUSED", { what: "size" });
    return sizeBytes;
  } catch (thrown) {
    if (!(thrown instanceof FTPError)) throw thrown;
    if (thrown.code === NOT_THERE) return undefined;
    if (!NOT_KNOWN.has(thrown.code)) throw thrown;
  }
  // SIZE is younger than FTP (RFC 3659 4): a server without it lists the folder.
  const cut = path.lastIndexOf("/");
  const name = path.slice(cut + 1);
  const listed = await entriesOf(client, cut < 0 ? undefined : path.slice(0, cut) || "/");
  return listed?.find((file) => file.isFile && file.name === name)?.size;
}

async function list(client: Client, path: string): Promise<readonly FolderEntry[] | undefined> {
  return (await entriesOf(client, path))?.map(({ name, isDirectory }) => ({ name, isFolder: isDirectory }));
}

/** Undefined where there is no such folder. */
async function entriesOf(client: Client, path: string | undefined): Promise<readonly FileInfo[] | undefined> {
  try {
    if (path !== undefined) await lookInto(client, path);
    return await client.list(path);
  } catch (thrown) {
    if (thrown instanceof FTPError && thrown.code === NOT_THERE) return undefined;
    throw thrown;
  }
}

/**
 * Throws what the server says of a folder that is not there, before a data connection is open: where one is closed again unused, pyftpdlib says 226
 * to that too, at a moment of its own, and whatever is asked next takes it for its answer.
 */
async function lookInto(client: Client, folder: string): Promise<void> {
  const home = await client.pwd();
  await client.cd(folder);
  await client.cd(home);
}

/** One after the other: what is there already is refused, and that tells nothing. */
async function makeFolder(client: Client, path: string): Promise<void> {
  const parts = path.split("/");
  for (const [index, part] of parts.entries()) {
    if (part !== "") await client.sendIgnoringError(`MKD ${parts.slice(0, index + 1).join("/")}`);
  }
}
