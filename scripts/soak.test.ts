import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { expect, it } from "vitest";

const SOAK = fileURLToPath(new URL("soak.ts", import.meta.url));

it("takes made-up studies through a service, and tells how it is meanwhile", async () => {
  const { stdout } = await promisify(execFile)(process.execPath, [SOAK, "--studies", "3"]);
  const [columns, , ...lines] = stdout.trim().split("\n");
  expect(columns).toMatch(/^\| seconds \| studies \| studies\/s \| .* RSS MB \| .* staging MB \|$/);
  expect(lines.findLast((line) => line.startsWith("|"))).toMatch(/^\| \d+ \| 3 \| /);
  expect(lines.at(-1)).toBe("- met: every study delivered: 3 of 3");
});
