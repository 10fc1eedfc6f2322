import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { runProgram } from "../../../test/peers/process.ts";
import { requirePeer } from "../../../test/peers/require-peer.ts";
import { temporaryFolder } from "../../../test/support/temporary-folder.ts";
import { bytesSource } from "../../dicom/sources.ts";
import { memberContent } from "./member-content.ts";
import { readZipMembers, ZIP_LIMITS, type ZipLimits, type ZipMember } from "./zip-members.ts";

/** One zip of each kind, by Python's zipfile. */
const PYTHON = `
import zipfile, stat
def zip(name, **options):
    return zipfile.ZipFile(name, "w", **options)
text = b"text" * 5000
with zip("deflated.zip", compression=zipfile.ZIP_DEFLATED) as z:
    z.writestr("a/one", text)
    z.writestr("a/empty", b"")
with zip("stored.zip") as z:
    z.writestr("a/one", text)
with zip("zip64.zip", compression=zipfile.ZIP_DEFLATED) as z:
    with z.open("a/one", "w", force_zip64=True) as f:
        f.write(text)
with zip("comment.zip") as z:
    z.writestr("a/one", text)
    z.comment = b"PK\\x05\\x06" + b"c" * 30000
with zip("bzip2.zip", compression=zipfile.ZIP_BZIP2) as z:
    z.writestr("one", text)
with zip("names.zip") as z:
    for name in ("../up", "a/../../up", "/absolute", "C:/drive", "a\\\\b", "fine"):
        entry = zipfile.ZipInfo("x")
        entry.filename = name
        z.writestr(entry, b"x")
with zip("link.zip") as z:
    entry = zipfile.ZipInfo("link")
    entry.create_system = 3
    entry.external_attr = (stat.S_IFLNK | 0o777) << 16
    z.writestr(entry, "/etc/passwd")
with zip("twice.zip") as z:
    z.writestr("one", b"first")
    z.writestr("one", b"second")
with zip("dense.zip", compression=zipfile.ZIP_DEFLATED) as z:
    z.writestr("zeros", bytes(2000000))
with zip("empty.zip") as z:
    pass
`;

let opened: AsyncDisposableStack;
let folder = "";
beforeAll(async () => {
  opened = new AsyncDisposableStack();
  folder = opened.use(await temporaryFolder()).path;
  await writeFile(join(folder, "zips.py"), PYTHON);
  const { exitCode, output } = await runProgram("python3", ["-W", "ignore", "zips.py"], folder);
  if (exitCode !== 0) throw new Error(output);
});
afterAll(() => opened.disposeAsync());

const zipNamed = (name: string): Promise<Buffer> => readFile(join(folder, `${name}.zip`));

async function judged(bytes: Buffer, limits: Partial<ZipLimits> = {}) {
  const { members, skipped } = await readZipMembers(bytesSource(bytes), { ...ZIP_LIMITS, ...limits });
  return { names: members.map(({ name }) => name), skipped: Object.fromEntries(skipped) };
}

async function contentOf(bytes: Buffer, change: Partial<ZipMember> = {}): Promise<string> {
  const [member] = (await readZipMembers(bytesSource(bytes))).members;
  if (member === undefined) throw new Error("no member");
  const pieces = await Array.fromAsync(memberContent(bytesSource(bytes), { ...member, ...change }, { readBytes: 64 }));
  return Buffer.concat(pieces).toString();
}

const TEXT = "text".repeat(5000);

describe("a zip of another program", () => {
  it.each(["deflated", "stored", "zip64", "comment"])("is read: %s", async (name) => {
    expect(await contentOf(await zipNamed(name))).toBe(TEXT);
  });

  it("may be empty", async () => {
    expect(await judged(await zipNamed("empty"))).toEqual({ names: [], skipped: {} });
  });

  it.skipIf(!requirePeer("zip"))(
    "is read as Info-ZIP writes it to a pipe, and passed over where it encrypts",
    async () => {
      await writeFile(join(folder, "one"), TEXT);
      await runProgram("sh", ["-c", "zip -q - one | cat > piped.zip; zip -q -P secret secret.zip one"], folder);
      expect(await contentOf(await zipNamed("piped"))).toBe(TEXT);
      expect(await judged(await zipNamed("secret"))).toEqual({ names: [], skipped: { ZIP_ENTRY_ENCRYPTED: 1 } });
    },
  );
});

describe("what of a zip is not read", () => {
  it.each([
    ["names", ["fine"], { ZIP_ENTRY_UNSAFE: 5 }],
    ["link", [], { ZIP_ENTRY_UNSAFE: 1 }],
    ["twice", ["one"], { ZIP_ENTRY_UNSAFE: 1 }],
    ["bzip2", [], { ZIP_ENTRY_UNSUPPORTED: 1 }],
  ] as const)("%s", async (name, names, skipped) => {
    expect(await judged(await zipNamed(name))).toEqual({ names, skipped });
  });

  it("is what would become too large, by itself, by its density or with the others", async () => {
    const dense = await zipNamed("dense");
    const none = { names: [], skipped: { ZIP_ENTRY_TOO_LARGE: 1 } };
    expect(await judged(dense)).toEqual({ names: ["zeros"], skipped: {} });
    expect(await judged(dense, { freeOfRatioBytes: 1_000_000 })).toEqual(none);
    expect(await judged(dense, { memberBytes: 1_000_000 })).toEqual(none);
    expect(await judged(await zipNamed("twice"), { totalBytes: 4 })).toMatchObject({
      skipped: { ZIP_ENTRY_TOO_LARGE: 2 },
    });
  });

  it("are files that lie within others", async () => {
    const zip = await zipNamed("deflated");
    // APPNOTE 4.3.12: in the directory's second entry, 42 bytes on, the offset of its local header: now that of the first.
    const second = zip.indexOf("PK\x01\x02", zip.indexOf("PK\x01\x02") + 1, "latin1");
    zip.writeUInt32LE(0, second + 42);
    expect(await judged(zip)).toEqual({ names: ["a/one"], skipped: { ZIP_ENTRY_UNSAFE: 1 } });
  });

  it("is all of it, where its directory is cut off, damaged, or of more entries than are read", async () => {
    const zip = await zipNamed("deflated");
    const unreadable = { code: "ZIP_UNREADABLE" };
    for (const bytes of [
      zip.subarray(0, -1),
      zip.subarray(0, zip.length / 2),
      zip.subarray(10),
      Buffer.concat([zip, Buffer.from("more")]),
      Buffer.alloc(zip.length),
      Buffer.alloc(0),
    ])
      await expect(judged(bytes)).rejects.toMatchObject(unreadable);
    // APPNOTE 4.3.16: at the end, the number of entries and the bytes of the directory. Here they hide its second entry.
    const hidden = Buffer.from(zip);
    const first = hidden.indexOf("PK\x01\x02", 0, "latin1");
    hidden.writeUInt16LE(1, hidden.length - 12);
    await expect(judged(hidden)).rejects.toMatchObject(unreadable);
    hidden.writeUInt32LE(hidden.indexOf("PK\x01\x02", first + 1, "latin1") - first, hidden.length - 10);
    await expect(judged(hidden)).rejects.toMatchObject(unreadable);
    await expect(judged(zip, { entries: 1 })).rejects.toMatchObject(unreadable);
    await expect(judged(zip, { directoryBytes: 50 })).rejects.toMatchObject(unreadable);
  });
});

describe("the content of a file in a zip", () => {
  it.each([
    ["becomes longer than it says", { sizeBytes: 100 }],
    ["becomes shorter than it says", { sizeBytes: 30_000 }],
    ["has another sum", { sum: 1 }],
    ["does not unpack", { headerOffset: 0, packedBytes: 10 }],
    ["does not begin where it says", { headerOffset: 7 }],
  ])("is damaged where it %s", async (_, change) => {
    await expect(contentOf(await zipNamed("deflated"), change)).rejects.toMatchObject({ code: "ZIP_ENTRY_DAMAGED" });
  });

  it("is not given further than it says of itself", async () => {
    const zip = bytesSource(await zipNamed("dense"));
    const [member] = (await readZipMembers(zip)).members;
    if (member === undefined) throw new Error("no member");
    let givenBytes = 0;
    const reading = async () => {
      for await (const piece of memberContent(zip, { ...member, sizeBytes: 100_000 })) givenBytes += piece.length;
    };
    await expect(reading()).rejects.toMatchObject({ code: "ZIP_ENTRY_DAMAGED" });
    expect(givenBytes).toBeLessThanOrEqual(100_000);
  });

  it("is not unpacked further than it is asked for", async () => {
    const zip = await zipNamed("dense");
    const [member] = (await readZipMembers(bytesSource(zip))).members;
    if (member === undefined) throw new Error("no member");
    let readBytes = 0;
    const source = bytesSource(zip);
    const counting = {
      ...source,
      read: (offset: number, length: number) => {
        readBytes += length;
        return source.read(offset, length);
      },
    };
    for await (const piece of memberContent(counting, member, { readBytes: 16 })) {
      expect(piece.length).toBeGreaterThan(0);
      break;
    }
    expect(readBytes).toBeLessThan(zip.length);
  });
});
