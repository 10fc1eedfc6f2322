import { stat } from "node:fs/promises";
import { join } from "node:path";
import { expect, it } from "vitest";
import { runCli } from "../../../test/support/cli.ts";
import { temporaryFolder } from "../../../test/support/temporary-folder.ts";
import { openGateway } from "../../gateway/open-gateway.ts";

it("gives a token once, keeps no secret, and ends it by its name", async () => {
  await using folder = await temporaryFolder();
  const environment = { RADFERRY__HOME: join(folder.path, "home") };
  const world = { environment, workingFolder: folder.path, openGateway };
  const verb = async (...args: readonly string[]) => {
    const { exitCode, stdout } = await runCli(["token", ...args, "--json"], world);
    return { exitCode, document: JSON.parse(stdout) };
  };
  const made = await verb("create", "nightly", "--role", "operator", "--days", "7");
  expect(made).toMatchObject({ exitCode: 0, document: { name: "nightly", role: "operator", state: "good" } });
  const { token, ...shown } = made.document;
  expect(token).toMatch(/^radferry_[\w-]{43}$/);
  expect((await verb("list")).document).toEqual([shown]);
  expect(await verb("create", "nightly", "--role", "viewer")).toMatchObject({
    exitCode: 1,
    document: { error: { code: "TOKEN_NAME_TAKEN" } },
  });
  expect((await verb("revoke", "nightly")).document).toMatchObject({ id: shown.id, state: "revoked" });
  expect((await verb("revoke", "nightly")).document).toMatchObject({ error: { code: "TOKEN_UNKNOWN" } });
  expect(await verb("create", "pat", "--role", "viewer", "--project", "none")).toMatchObject({
    document: { error: { code: "PROJECT_UNKNOWN" } },
  });
  expect((await stat(join(folder.path, "home", "radferry.db"))).mode & 0o077).toBe(0);
});

it.each([
  [["create", "pat"]],
  [["create", "pat", "--role", "king"]],
  [["create", "a b", "--role", "viewer"]],
  [["create", "pat", "--role", "viewer", "--days", "0"]],
])("refuses %j", async (args) => {
  expect((await runCli(["token", ...args])).exitCode).toBe(2);
});
