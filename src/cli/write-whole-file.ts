import { randomUUID } from "node:crypto";
import { access, open, realpath, rename, rm, stat } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { GatewayError } from "../errors/gateway-error.ts";

/**
 * Writes a file that is whole or absent; one that stood there is replaced at the end. Readable by its owner alone. A pipe or a device is written to,
 * and what a link points at is replaced, not the link: `/dev/stdout` and `/dev/null` are the machine's.
 * @throws GatewayError FILE_NOT_WRITABLE, or what the pieces threw
 */
export async function writeWholeFile(path: string, pieces: AsyncIterable<string | Uint8Array>): Promise<void> {
  try {
    if (await isStream(path)) await writeThrough(path, pieces);
    else await replaceFile(await realpath(path).catch(() => path), pieces);
  } catch (thrown) {
    throw isSystemError(thrown) ? new GatewayError("FILE_NOT_WRITABLE", { reason: thrown.code }, thrown) : thrown;
  }
}

async function isStream(path: string): Promise<boolean> {
  const there = await stat(path).catch(() => undefined);
  return there !== undefined && !there.isFile() && !there.isDirectory();
}

async function writeThrough(path: string, pieces: AsyncIterable<string | Uint8Array>): Promise<void> {
  await using file = await open(path, "w");
  for await (const piece of pieces) await file.writeFile(piece);
}

async function replaceFile(path: string, pieces: AsyncIterable<string | Uint8Array>): Promise<void> {
  const temporary = join(dirname(path), `.${basename(path)}.${randomUUID()}.part`);
  try {
    {
      await using file = await open(temporary, "wx", 0o600);
      for await (const piece of pieces) await file.writeFile(piece);
      await file.sync();
    }
    await rename(temporary, path);
  } catch (thrown) {
    await rm(temporary, { force: true }).catch(() => undefined);
    throw thrown;
  }
}

/** What the operating system said, such as ENOSPC. */
export function isSystemError(thrown: unknown): thrown is Error & { readonly code: string } {
  return thrown instanceof Error && "syscall" in thrown && "code" in thrown && typeof thrown.code === "string";
}

export function isThere(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
