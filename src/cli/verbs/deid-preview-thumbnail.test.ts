import { existsSync } from "node:fs";
import { readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { inflateSync } from "node:zlib";
import { afterEach, beforeEach, expect, it } from "vitest";
import { runCli } from "../../../test/support/cli.ts";
import { temporaryFolder } from "../../../test/support/temporary-folder.ts";
import { GREY_8, nativeFile, ultrasoundImage, withPixels } from "../../deid/testing/images.ts";
import { put, SOP_CLASSES, text } from "../../deid/testing/objects.ts";

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
beforeEach(async () => {
  folder = await temporaryFolder();
  // Burned-in text: bright in the first row.
  const pixels = Uint8Array.from({ length: 96 }, (_, index) => (index % 48 < 8 ? 250 : index % 48));
  const image = ultrasoundImage(GREY_8, [text(0x00100010, "Brandybuck^Meriadoc")]);
  await put(join(folder.path, "image.dcm"), await nativeFile(withPixels(image, pixels, "OB")));
  const mask = {
    name: "banner",
    when: { sop_class: SOP_CLASSES.us, rows: 6, columns: 8 },
    rectangles: [[0, 0, 8, 1]],
  };
  await writeFile(join(folder.path, "masks.yaml"), JSON.stringify({ masks: [mask] }));
  const profile = { profile: "masked", version: 1, base: "basic-2026c", pixels: { masks: ["masks.yaml"] } };
  await writeFile(join(folder.path, "masked.yaml"), JSON.stringify(profile));
});
afterEach(() => folder[Symbol.asyncDispose]());

const preview = (profile: string) =>
  runCli(["deid", "preview", "image.dcm", "--profile", profile, "--thumbnail", "image.png", "--json"], {
    workingFolder: folder.path,
  });

it("shows what the mask leaves, to its owner alone, with nothing of the object's text", async () => {
  const { exitCode, stdout } = await preview("masked.yaml");
  expect(exitCode).toBe(0);
  expect(JSON.parse(stdout)).toMatchObject({ outcome: "deidentified" });
  expect(JSON.parse(stdout)).not.toHaveProperty("thumbnail");
  const path = join(folder.path, "image.png");
  expect((await stat(path)).mode & 0o777).toBe(0o600);
  const png = await readFile(path);
  expect(png.toString("latin1")).not.toMatch(/brandybuck|meriadoc|tEXt|zTXt|iTXt|eXIf/i);
  // Behind signature, IHDR (25 bytes) and the head of IDAT: lines of a filter byte and 8 pixels.
  const lines = inflateSync(png.subarray(41, 41 + png.readUInt32BE(33)));
  expect([...lines.subarray(1, 9)]).toEqual(Array(8).fill(0));
  expect(lines[9 + 8]).toBeGreaterThan(0);
});

it("is none of an object that would not leave: nothing is shown before a mask", async () => {
  const { exitCode, stdout } = await preview("basic");
  expect(exitCode).toBe(1);
  expect(JSON.parse(stdout)).toMatchObject({ error: { code: "THUMBNAIL_NOT_MADE", details: { reason: "sop-class" } } });
  expect(existsSync(join(folder.path, "image.png"))).toBe(false);
});
