import { request } from "node:http";
import fastify from "fastify";
import { expect, it } from "vitest";
import { takeBodies } from "./gather-body.ts";

it("hands a body on in few pieces, however many chunks it comes in, and refuses one that is too long", async () => {
  const server = fastify({ bodyLimit: 10_000 });
  const seen: number[] = [];
  takeBodies(server);
  server.addHook("preParsing", async (_request, _reply, body) => body.on("data", () => void seen.push(1)));
  server.post("/", async ({ body }) => (body instanceof Buffer ? body.length : 0));
  await server.listen({ host: "127.0.0.1", port: 0 });
  const address = server.server.address();
  const port = typeof address === "object" ? address?.port : undefined;
  const send = async (chunks: number): Promise<readonly [number | undefined, string]> =>
    await new Promise((resolve, reject) => {
      const sent = request({ port, host: "127.0.0.1", method: "POST" }, async (response) => {
        const text = Buffer.concat(await Array.fromAsync(response)).toString();
        resolve([response.statusCode, text]);
      });
      sent.on("error", reject);
      for (let count = 0; count < chunks; count += 1) sent.write("x");
      sent.end();
    });
  try {
    expect(await send(9_000)).toEqual([200, "9000"]);
    expect(seen).toHaveLength(1);
    expect((await send(10_001))[0]).toBe(413);
  } finally {
    await server.close();
  }
});
