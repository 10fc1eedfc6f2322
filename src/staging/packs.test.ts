import { open, readdir, readFile, truncate } from "node:fs/promises";
import { join } from "node:path";
import { expect, it } from "vitest";
import { temporaryFolder } from "../../test/support/temporary-folder.ts";
import { systemClock } from "../units/clock.ts";
import { rangeOfName } from "./pack-ranges.ts";
import { openPacks } from "./packs.ts";
import { plainRemoval } from "./removal.ts";

/** Names that survive the end of a program. */
function createNames() {
  const named = new Set<string>();
  return {
    named,
    name: async (name: string): Promise<string> => {
      named.add(name);
      return name;
    },
    beginning: async (prefix: string) => [...named].filter((name) => name.startsWith(prefix)),
    change: async (from: string, to: string): Promise<boolean> => {
      if (!named.delete(from)) return false;
      named.add(to);
      return true;
    },
    isInDoubt: (): boolean => false,
  };
}

const SIZES = { packBytes: 20_000, extentBytes: 8_192 };
const text = (number: number): string => `patient ${number} `.repeat(300);

async function site() {
  const folder = await temporaryFolder();
  const names = createNames();
  const place = join(folder.path, "packs");
  const begin = () =>
    openPacks({ folder: place, names, remove: plainRemoval.remove, clock: systemClock, sizes: SIZES });
  let copies = 0;
  const read = async (packs: Awaited<ReturnType<typeof begin>>, name: string): Promise<string> => {
    copies += 1;
    await packs.copy(name, join(folder.path, `${copies}`));
    return await readFile(join(folder.path, `${copies}`), "utf8");
  };
  const everything = async (): Promise<string> =>
    (await Promise.all((await readdir(place)).map((name) => readFile(join(place, name), "latin1")))).join("");
  return { place, names, begin, read, everything, [Symbol.asyncDispose]: () => folder[Symbol.asyncDispose]() };
}

it("gives back what was added, from several packs and in a later life", async () => {
  await using at = await site();
  const packs = await at.begin();
  const numbers = Array.from({ length: 12 }, (_, number) => number);
  const add = (number: number) => packs.add([Buffer.from(text(number))], at.names.name);
  const added = [
    ...(await Promise.all(numbers.slice(0, 6).map(add))),
    ...(await Promise.all(numbers.slice(6).map(add))),
  ];
  for (const [number, name] of added.entries()) expect(await at.read(packs, name)).toBe(text(number));
  await packs[Symbol.asyncDispose]();
  await using again = await at.begin();
  const later = await again.add([Buffer.from("la"), Buffer.from("ter")], at.names.name);
  for (const [number, name] of added.entries()) expect(await at.read(again, name)).toBe(text(number));
  expect(await at.read(again, later)).toBe("later");
  expect((await readdir(at.place)).length).toBeGreaterThan(2);
});

it("puts what comes later into blocks in which nothing is named yet", async () => {
  await using at = await site();
  await using packs = await at.begin();
  const first = rangeOfName(await packs.add([Buffer.from("first")], at.names.name));
  const second = rangeOfName(await packs.add([Buffer.from("second")], at.names.name));
  expect([first.offset, second.offset]).toEqual([0, 4_096]);
});

it("overwrites what a killed program had not named, and cuts off what it had grown by", async () => {
  await using at = await site();
  const packs = await at.begin();
  await packs.add([Buffer.from("untold")], async () => undefined);
  const named = await packs.add([Buffer.from("told")], at.names.name);
  await packs.add([Buffer.from("untold")], async () => undefined);
  const [file = ""] = await readdir(at.place);
  expect((await readFile(join(at.place, file))).length).toBeGreaterThan(10_000);
  await packs[Symbol.asyncDispose]();
  await using again = await at.begin();
  expect(await at.everything()).toBe(`${"\0".repeat(4_096)}told`);
  expect(await at.read(again, named)).toBe("told");
});

it("overwrites what is removed from the pack that is being added to", async () => {
  await using at = await site();
  await using packs = await at.begin();
  const [first, second] = await Promise.all([1, 2].map((n) => packs.add([Buffer.from(text(n))], at.names.name)));
  at.names.named.delete(first ?? "");
  await packs.remove([first ?? ""]);
  expect(await at.everything()).not.toContain("patient 1");
  expect(await at.read(packs, second ?? "")).toBe(text(2));
});

it("removes a pack of which nothing is named, and moves what is named out of one that holds little else", async () => {
  await using at = await site();
  const packs = await at.begin();
  const numbers = [1, 2, 3, 4, 5];
  const names = await Promise.all(numbers.map((number) => packs.add([Buffer.from(text(number))], at.names.name)));
  await packs[Symbol.asyncDispose]();
  await using again = await at.begin();
  const [file] = await readdir(at.place);
  for (const name of names.slice(1)) at.names.named.delete(name);
  await again.remove(names.slice(1, 3));
  expect(await readdir(at.place)).not.toContain(file);
  const [moved = ""] = at.names.named;
  expect(await at.read(again, moved)).toBe(text(1));
  await again[Symbol.asyncDispose]();
  await using last = await at.begin();
  at.names.named.clear();
  await last.remove([moved]);
  expect(await readdir(at.place)).toEqual([]);
});

it("keeps nothing of a pack that is followed by the next, once nothing in it is named any more", async () => {
  await using at = await site();
  await using packs = await at.begin();
  const name = await packs.add([Buffer.from(text(1).repeat(4))], at.names.name);
  await packs.add([Buffer.from(text(2).repeat(4))], at.names.name);
  at.names.named.delete(name);
  await packs.remove([name]);
  expect(await readdir(at.place)).not.toContain(rangeOfName(name).pack);
});

it("keeps a pack in which somebody may yet name something, and overwrites what is removed from it", async () => {
  await using at = await site();
  const packs = await at.begin();
  const names = await Promise.all([1, 2].map((number) => packs.add([Buffer.from(text(number))], at.names.name)));
  await packs[Symbol.asyncDispose]();
  await using again = await at.begin();
  const [removed = "", doubtful = ""] = names;
  at.names.named.clear();
  at.names.isInDoubt = () => true;
  await again.remove([removed]);
  expect(await at.everything()).not.toContain("patient 1");
  expect(await at.read(again, doubtful)).toBe(text(2));
});

it("overwrites what it moved out of a pack for somebody who removed it meanwhile", async () => {
  await using at = await site();
  const packs = await at.begin();
  const names = await Promise.all([1, 2, 3].map((number) => packs.add([Buffer.from(text(number))], at.names.name)));
  await packs[Symbol.asyncDispose]();
  await using again = await at.begin();
  const { change } = at.names;
  at.names.change = async (from, to) => {
    at.names.named.delete(from);
    return await change(from, to);
  };
  for (const name of names.slice(1)) at.names.named.delete(name);
  await again.remove(names.slice(1));
  expect((await at.everything()).replaceAll("\0", "")).toBe("");
});

it("does not take a pack away while something in it is being named", async () => {
  await using at = await site();
  await using packs = await at.begin();
  const naming = Promise.withResolvers<void>();
  const slow = packs.add([Buffer.from("slow")], async (name) => {
    await naming.promise;
    return await at.names.name(name);
  });
  const full = await packs.add([Buffer.from(text(1).repeat(4))], at.names.name);
  await packs.add([Buffer.from(text(2).repeat(4))], at.names.name);
  at.names.named.delete(full);
  await packs.remove([full]);
  naming.resolve();
  expect(await at.read(packs, await slow)).toBe("slow");
});

it("says so when a pack is cut short, and when there is none", async () => {
  await using at = await site();
  await using packs = await at.begin();
  const name = await packs.add([Buffer.from(text(1))], at.names.name);
  await truncate(join(at.place, rangeOfName(name).pack), 100);
  const unavailable = expect.objectContaining({ code: "STAGING_UNAVAILABLE" });
  await expect(at.read(packs, name)).rejects.toThrow(unavailable);
  await expect(at.read(packs, name.replace(/[0-9a-f]{16}/, "0".repeat(16)))).rejects.toThrow(unavailable);
});

it("is for its owner alone", async () => {
  await using at = await site();
  await using packs = await at.begin();
  const name = await packs.add([Buffer.from("first")], at.names.name);
  await using file = await open(join(at.place, rangeOfName(name).pack));
  expect((await file.stat()).mode & 0o777).toBe(0o600);
});
