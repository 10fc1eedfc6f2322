import { readdir } from "node:fs/promises";
import { connect } from "node:net";
import { join } from "node:path";
import { expect, it } from "vitest";
import { silentLogger } from "../../src/units/logger.ts";
import { openApiSite } from "../support/api.ts";

it("logs a STOW-RS sender that hangs up in the middle as what it is, and not as a mistake of our own", async () => {
  const told: (readonly [string, unknown])[] = [];
  const logger = {
    ...silentLogger,
    info: (_event: string, fields?: object) => void told.push(["info", fields]),
    error: (_event: string, fields?: object) => void told.push(["error", fields]),
  };
  const intake = { rules: [], quietSeconds: 60, longestSeconds: 60 };
  await using site = await openApiSite({ logger, settings: { intake } });
  const token = await site.tokenOf("router", "sender");
  const { hostname, port } = new URL(site.url);
  const sender = connect(Number(port), hostname);
  const lines = [
    "POST /dicomweb/studies HTTP/1.1",
    "Host: gateway",
    `Authorization: Bearer ${token}`,
    'Content-Type: multipart/related; type="application/dicom"; boundary=B',
    "Content-Length: 100000",
    "\r\n--B",
    "Content-Type: application/dicom",
    `\r\n${"x".repeat(20_000)}`,
  ];
  sender.write(lines.join("\r\n"));
  const incoming = join(site.service.folder, "home", "staging", "incoming");
  await expect.poll(async () => (await readdir(incoming)).length).toBe(1);
  sender.destroy();
  await expect
    .poll(() => told)
    .toContainEqual(["info", { code: "API_REQUEST_CUT", host: expect.any(String), instances: 0 }]);
  await expect.poll(async () => (await readdir(incoming)).length).toBe(0);
  expect(told.filter(([level]) => level === "error")).toEqual([]);
});
