import { expect, it } from "vitest";
import { startHttpServer } from "../../../test/support/http-server.ts";
import { openXnatSessions } from "./xnat.ts";

it.each([
  [200, " \n", { status: 401, detail: "Invalid authentication response from XNAT" }],
  [401, "<html>", { status: 401, detail: "Failed to authenticate with XNAT: 401" }],
  [503, "", { status: 503, detail: "Failed to authenticate with XNAT: 503" }],
])("answers for XNAT when a login ends with %i and %j", async (status, text, answer) => {
  await using server = await startHttpServer((_, response) => void response.writeHead(status).end(text));
  const account = { username: "service", password: "secret" };
  await using sessions = openXnatSessions({ url: server.url, ...account, connections: 1 });
  await expect(sessions.service.json({ path: "data/projects" })).rejects.toMatchObject(answer);
});
