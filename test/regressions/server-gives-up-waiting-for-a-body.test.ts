import { expect, it } from "vitest";
import { openHttpClient } from "../../src/network/http-client/http-client.ts";
import { createManualClock } from "../../src/units/manual-clock.testing.ts";
import { startHttpServer } from "../support/http-server.ts";

/**
 * Orthanc 1.10 answers 400 when the rest of a body has not come within a minute: a study failed for good as refused, where its connection had
 * only fallen silent.
 */
it.each([
  ["after a long silence is one that waited in vain", 60_000, "HTTP_UNAVAILABLE", "transient"],
  ["at once is a refusal", 0, "HTTP_REFUSED", "permanent"],
] as const)("a 400 %s", async (_, silenceMs, code, errorClass) => {
  const clock = createManualClock();
  await using server = await startHttpServer((request, response) => {
    request.resume().on("end", async () => {
      await clock.advance(silenceMs);
      response.writeHead(400).end();
    });
  });
  await using client = openHttpClient({ baseUrl: server.url }, clock);
  const body = async function* () {
    yield Buffer.from("a study");
  };
  await expect(client.request({ method: "POST", body })).rejects.toMatchObject({ code, class: errorClass });
});
