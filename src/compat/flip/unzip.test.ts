import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { crc32, deflateRawSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { unzip } from "./unzip.ts";

interface Entry {
  readonly name: string;
  readonly bytes: Buffer;
  readonly method?: number;
  /** What the directory says instead of the truth. */
  readonly claims?: { readonly sizeBytes?: number; readonly crc?: number; readonly isLong?: boolean };
}

/** APPNOTE.TXT 4.3.6: local headers with their data, the central directory, its end. */
function zipOf(entries: readonly Entry[]): Buffer {
  const local: Buffer[] = [];
  const central: Buffer[] = [];
  let at = 0;
  for (const { name, bytes, method = 8, claims = {} } of entries) {
    const data = method === 8 ? deflateRawSync(bytes) : bytes;
    const { sizeBytes = bytes.length, crc = crc32(bytes), isLong = false } = claims;
    const nameBytes = Buffer.from(name);
    const header = Buffer.alloc(30);
    header.writeUInt32LE(0x04034b50, 0);
    header.writeUInt16LE(nameBytes.length, 26);
    local.push(header, nameBytes, data);
    const extra = Buffer.alloc(isLong ? 28 : 0);
    if (isLong) {
      // 4.5.3: id, length, then size, compressed size and place of the header.
      extra.writeUInt16LE(1, 0);
      extra.writeUInt16LE(24, 2);
      for (const [index, value] of [sizeBytes, data.length, at].entries())
        extra.writeBigUInt64LE(BigInt(value), 4 + 8 * index);
    }
    const long = (value: number): number => (isLong ? 0xffffffff : value);
    const record = Buffer.alloc(46);
    record.writeUInt32LE(0x02014b50, 0);
    record.writeUInt16LE(method, 10);
    record.writeUInt32LE(crc, 16);
    record.writeUInt32LE(long(data.length), 20);
    record.writeUInt32LE(long(sizeBytes), 24);
    record.writeUInt16LE(nameBytes.length, 28);
    record.writeUInt16LE(extra.length, 30);
    record.writeUInt32LE(long(at), 42);
    central.push(record, nameBytes, extra);
    at += header.length + nameBytes.length + data.length;
  }
  const directory = Buffer.concat(central);
  const end = Buffer.alloc(22);
  end.writeUInt32LE(0x06054b50, 0);
  end.writeUInt16LE(entries.length, 10);
  end.writeUInt32LE(directory.length, 12);
  end.writeUInt32LE(at, 16);
  return Buffer.concat([...local, directory, end]);
}

async function unzipped(zip: Buffer): Promise<Readonly<Record<string, string>>> {
  const base = await mkdtemp(join(tmpdir(), "unzip-"));
  try {
    await writeFile(join(base, "a.zip"), zip);
    const folder = join(base, "out");
    await unzip(join(base, "a.zip"), folder, { place: (name) => name, signal: new AbortController().signal });
    expect((await readdir(base)).sort()).toEqual(["a.zip", "out"]);
    const names = await readdir(folder, { recursive: true, withFileTypes: true });
    const files = names.filter((entry) => entry.isFile()).map(({ parentPath, name }) => join(parentPath, name));
    const texts = files.map(async (path) => [path.slice(folder.length + 1), await readFile(path, "utf8")] as const);
    return Object.fromEntries(await Promise.all(texts));
  } finally {
    await rm(base, { recursive: true });
  }
}

const long = Buffer.from("x".repeat(200_000));

describe("unzip", () => {
  it("writes what is stored and what is deflated, long values too", async () => {
    const zip = zipOf([
      { name: "a/", bytes: Buffer.alloc(0), method: 0 },
      { name: "a/b.txt", bytes: Buffer.from("b") },
      { name: "c.txt", bytes: Buffer.from("c"), method: 0 },
      { name: "a/long.txt", bytes: long, claims: { isLong: true } },
    ]);
    expect(await unzipped(zip)).toEqual({ "a/b.txt": "b", "c.txt": "c", "a/long.txt": long.toString() });
  });

  const good = { name: "a.txt", bytes: Buffer.from("a") };
  it.each<[string, Buffer]>([
    ["a name above its folder", zipOf([good, { name: "../x", bytes: Buffer.from("x") }])],
    ["a name from the root", zipOf([good, { name: "/etc/x", bytes: Buffer.from("x") }])],
    ["a name with a backslash", zipOf([good, { name: "a\\..\\x", bytes: Buffer.from("x") }])],
    ["an entry that is longer than it says", zipOf([{ name: "x", bytes: long, claims: { sizeBytes: 10 } }])],
    ["an entry that is shorter than it says", zipOf([{ name: "x", bytes: long, claims: { sizeBytes: 300_000 } }])],
    ["an entry with another sum", zipOf([{ name: "x", bytes: long, claims: { crc: 7 } }])],
    ["an entry that does not inflate", zipOf([{ name: "x", bytes: long, method: 8 }]).fill(0xff, 31, 60)],
    ["a compression of another kind", zipOf([{ name: "x", bytes: long, method: 99 }])],
    ["no end", zipOf([good]).subarray(0, -10)],
    ["no beginning", zipOf([good]).subarray(20)],
    ["nothing", Buffer.alloc(0)],
  ])("refuses %s", async (_, zip) => {
    await expect(unzipped(zip)).rejects.toMatchObject({ status: 400, code: "FLIP_DOWNLOAD_INVALID" });
  });
});
