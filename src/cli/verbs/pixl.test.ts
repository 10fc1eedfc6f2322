import { tmpdir } from "node:os";
import { expect, it } from "vitest";
import { runCli } from "../../../test/support/cli.ts";

/** PIXL's names, as its CLI reads them; nothing listens there. */
const ENVIRONMENT = {
  ...{ RABBITMQ_HOST: "127.0.0.1", RABBITMQ_PORT: "9", RABBITMQ_USERNAME: "u", RABBITMQ_PASSWORD: "p" },
  ...{ CLI_PIXL_DB_HOST: "127.0.0.1", CLI_PIXL_DB_PORT: "9" },
  ...{ PIXL_DB_USER: "u", PIXL_DB_PASSWORD: "p", PIXL_DB_NAME: "pixl" },
  ...{ PIXL_EXPORT_API_HOST: "127.0.0.1", PIXL_EXPORT_API_PORT: "9" },
  ...{ PIXL_IMAGING_API_HOST: "127.0.0.1", PIXL_IMAGING_API_PORT: "9" },
};

it.each([
  ["pixl populate missing.csv --start", "PIXL_EXTRACT_INVALID"],
  ["pixl populate missing.csv --no-start", "PIXL_EXTRACT_INVALID"],
  ["pixl stop --no-purge", "CONNECTION_FAILED"],
  ["pixl --debug status", "CONNECTION_FAILED"],
  ["pixl --no-debug status", "CONNECTION_FAILED"],
])("understands the switches that PIXL's command line has: %s", async (line, code) => {
  const { stdout } = await runCli([...line.split(" "), "--json"], {
    environment: ENVIRONMENT,
    workingFolder: tmpdir(),
  });
  expect(JSON.parse(stdout)).toMatchObject({ error: { code } });
});

it("begins a run unless it is told not to", async () => {
  const { stdout } = await runCli(["pixl", "populate", "--help"]);
  expect(stdout).toMatch(/--start .+\(default: true\)/);
});
