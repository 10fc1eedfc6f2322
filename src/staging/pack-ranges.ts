import { type FileHandle, open } from "node:fs/promises";
import { GatewayError } from "../errors/gateway-error.ts";
import type { Removal } from "./removal.ts";

const ZEROS = Buffer.alloc(1 << 20);

/** Where in a pack an instance is. */
export interface PackRange {
  readonly pack: string;
  readonly offset: number;
  readonly length: number;
}

const NAME = /^(pack-[0-9a-f]{16})\/(\d{1,12})\+(\d{1,12})$/;

export function isPacked(name: string): boolean {
  return NAME.test(name);
}

export function nameOfRange({ pack, offset, length }: PackRange): string {
  return `${pack}/${offset}+${length}`;
}

/** @throws GatewayError INTERNAL */
export function rangeOfName(name: string): PackRange {
  const [, pack, offset, length] = NAME.exec(name) ?? [];
  if (pack === undefined) throw new GatewayError("INTERNAL", { what: "name of a packed instance" });
  return { pack, offset: Number(offset), length: Number(length) };
}

/** Overwrites the ranges durably. @returns the size of the pack in bytes */
export async function overwriteRanges(path: string, ranges: readonly PackRange[]): Promise<number> {
  await using file = await open(path, "r+");
  for (const { offset, length } of ranges) await overwrite(file, offset, offset + length);
  await file.datasync();
  return (await file.stat()).size;
}

interface WritableFile {
  write(bytes: Uint8Array, offset: number, length: number, at: number): Promise<{ readonly bytesWritten: number }>;
}

/** With zeros. A disk may take less at once than it is given: what it did not take is given again, or the values would stay. */
export async function overwrite(file: WritableFile, from: number, to: number): Promise<void> {
  for (let at = from; at < to; ) at += (await file.write(ZEROS, 0, Math.min(ZEROS.length, to - at), at)).bytesWritten;
}

/** Overwrites what lies between the named ranges of a pack, and cuts off what lies behind the last; a pack without names is removed. */
export async function settlePack(path: string, names: readonly string[], remove: Removal["remove"]): Promise<void> {
  if (names.length === 0) return await remove(path);
  await using file = await open(path, "r+");
  const ranges = names.map(rangeOfName).sort((one, other) => one.offset - other.offset);
  const { size } = await file.stat();
  let end = 0;
  let isChanged = false;
  for (const { offset, length } of [...ranges, { offset: size, length: 0 }]) {
    if (await blank(file, end, offset)) isChanged = true;
    if (length > 0) end = offset + length;
  }
  if (!isChanged && size <= end) return;
  if (size > end) await file.truncate(end);
  await file.datasync();
}

/** Overwrites a range with zeros. @returns false when it held nothing else */
async function blank(file: FileHandle, from: number, to: number): Promise<boolean> {
  const block = Buffer.alloc(Math.min(Math.max(to - from, 0), ZEROS.length));
  let isChanged = false;
  for (let at = from; at < to; at += block.length) {
    const { bytesRead } = await file.read(block, 0, Math.min(block.length, to - at), at);
    if (bytesRead === 0 || block.compare(ZEROS, 0, bytesRead, 0, bytesRead) === 0) continue;
    await overwrite(file, at, at + bytesRead);
    isChanged = true;
  }
  return isChanged;
}
