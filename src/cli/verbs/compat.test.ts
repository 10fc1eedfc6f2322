import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, it } from "vitest";
import { freePort } from "../../../test/peers/free-port.ts";
import { runCli } from "../../../test/support/cli.ts";
import { temporaryFolder } from "../../../test/support/temporary-folder.ts";
import { systemClock } from "../../units/clock.ts";

it("names all that is missing or wrong for PIXL's imaging API, in the environment and in .env, and no value", async () => {
  await using folder = await temporaryFolder();
  await writeFile(join(folder.path, ".env"), "ORTHANC_RAW_USERNAME=raw\nRABBITMQ_PORT=SECRET\n");
  const environment = { PIXL_MAX_MESSAGES_IN_FLIGHT: "0", ORTHANC_RAW_AE_TITLE: "RAW" };
  const { exitCode, stdout } = await runCli(["compat", "pixl", "--port", "0", "--json"], {
    environment,
    workingFolder: folder.path,
  });
  expect(exitCode).toBe(2);
  const paths = JSON.parse(stdout).error.problems.map(({ path }: { readonly path: string }) => path);
  expect(paths).toEqual(expect.arrayContaining(["RABBITMQ_PORT", "PIXL_MAX_MESSAGES_IN_FLIGHT", "ORTHANC_RAW_URL"]));
  expect(paths).not.toContain("ORTHANC_RAW_USERNAME");
  expect(paths).not.toContain("ORTHANC_RAW_AE_TITLE");
  expect(stdout).not.toContain("SECRET");
});

it("ends with 0 when it is told to stop while it waits for PIXL's database", async () => {
  await using folder = await temporaryFolder();
  const environment = {
    PRIMARY_DICOM_SOURCE_MODALITY: "A",
    PRIMARY_DICOM_SOURCE_AE_TITLE: "A",
    SECONDARY_DICOM_SOURCE_MODALITY: "B",
    ...Object.fromEntries(
      ["RAW", "ANON"].flatMap((which) => [
        [`ORTHANC_${which}_URL`, "http://127.0.0.1:1"],
        [`ORTHANC_${which}_USERNAME`, "u"],
        [`ORTHANC_${which}_PASSWORD`, "p"],
        [`ORTHANC_${which}_AE_TITLE`, which],
      ]),
    ),
    PIXL_MAX_MESSAGES_IN_FLIGHT: "5",
    PIXL_DB_HOST: "127.0.0.1",
    PIXL_DB_PORT: `${await freePort()}`,
    RADFERRY_HOME: join(folder.path, "home"),
  };
  const stopping = new AbortController();
  const sleep = async (_: number, signal?: AbortSignal): Promise<void> => {
    stopping.abort();
    signal?.throwIfAborted();
  };
  const { exitCode, stdout } = await runCli(["compat", "pixl", "--port", "0", "--json"], {
    environment,
    workingFolder: folder.path,
    clock: { ...systemClock, sleep },
    stop: stopping.signal,
  });
  expect([exitCode, stdout]).toEqual([0, ""]);
});
