import { expect, it } from "vitest";
import { startHttpServer } from "../../../test/support/http-server.ts";
import { openHttpClient } from "../../network/http-client/http-client.ts";
import { createOwnAssociations } from "./associations.ts";
import { limitRequests } from "./limit-requests.ts";

it("a request that fails leaves its place to the next, as one does whose answer is let go of", async () => {
  await using server = await startHttpServer(({ url }, response) =>
    response.writeHead(url === "/fails" ? 500 : 200).end(),
  );
  await using client = limitRequests(openHttpClient({ baseUrl: server.url }), createOwnAssociations(1));
  for (const _ of [1, 2]) {
    await expect(client.request({ path: "fails" })).rejects.toMatchObject({ status: 500 });
    await using answer = await client.request({ path: "succeeds" });
    expect(answer.status).toBe(200);
  }
});
