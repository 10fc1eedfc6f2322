import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, it } from "vitest";
import { runCli } from "../../../test/support/cli.ts";
import { temporaryFolder } from "../../../test/support/temporary-folder.ts";

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
