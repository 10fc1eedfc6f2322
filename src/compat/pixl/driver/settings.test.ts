import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it } from "vitest";
import { readDriverSettings } from "./settings.ts";

it("takes PIXL's names from the environment, then from .env of the folder, then what PIXL takes", async () => {
  const folder = await mkdtemp(join(tmpdir(), "pixl-settings-"));
  await writeFile(
    join(folder, ".env"),
    "RABBITMQ_HOST=file\nRABBITMQ_PASSWORD='a b'\nPIXL_IMAGING_API_PORT=7107\nCLI_RETRY_SECONDS=7\n",
  );
  const settings = await readDriverSettings({ RABBITMQ_HOST: "environment", PIXL_DB_USER: "u" }, folder);
  expect(settings.broker).toEqual({ host: "environment", port: 5672, username: "guest", password: "a b" });
  expect(settings.database).toMatchObject({ host: "localhost", port: 7001, user: "u" });
  expect(settings.imagingApiUrl).toBe("http://localhost:7107");
  expect([settings.rate, settings.retryAfterMs]).toEqual([1, 7_000]);
  expect(settings.exportRoot).toBeUndefined();
  const exportRootOf = async (environment: Readonly<Record<string, string>>) =>
    (await readDriverSettings(environment, folder)).exportRoot;
  expect(await exportRootOf({ PIXL_ROOT: "/srv/pixl" })).toBe("/srv/pixl/projects/exports");
  expect(await exportRootOf({ PIXL_ROOT: "/srv/pixl", HOST_EXPORT_ROOT_DIR: "exports" })).toBe(join(folder, "exports"));
  await rm(folder, { recursive: true });
});

it("names every variable that is wrong, and no value", async () => {
  const reading = readDriverSettings({ RABBITMQ_PORT: "SECRET", CLI_RETRY_SECONDS: "-1" }, tmpdir());
  await expect(reading).rejects.toMatchObject({
    problems: [{ path: "RABBITMQ_PORT" }, { path: "CLI_RETRY_SECONDS" }],
  });
});
