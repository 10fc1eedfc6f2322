import { deflateRawSync } from "node:zlib";
import { expect, it } from "vitest";
import { packJson, unpackJson } from "./packed-json.ts";

it("gives back what was packed, in less room", async () => {
  const files = Array.from({ length: 50 }, (_, index) => ({ path: `series/${index}.dcm`, sizeBytes: 524_288 }));
  const packed = await packJson({ files, name: "Zürich" });
  expect(packed.byteLength).toBeLessThan(JSON.stringify(files).length / 4);
  expect(await unpackJson(packed)).toEqual({ files, name: "Zürich" });
});

it("refuses bytes that are something else", async () => {
  await expect(unpackJson(Buffer.from("{}"))).rejects.toThrow();
  await expect(unpackJson(deflateRawSync("{"))).rejects.toThrow(SyntaxError);
});
