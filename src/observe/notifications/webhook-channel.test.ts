import { createHmac } from "node:crypto";
import type { IncomingMessage } from "node:http";
import { expect, it } from "vitest";
import { freePort } from "../../../test/peers/free-port.ts";
import { startHttpServer } from "../../../test/support/http-server.ts";
import { neverAborted } from "../../units/abort.ts";
import { systemClock } from "../../units/clock.ts";
import type { ChannelMessage } from "../../units/notifications.ts";
import { createWebhookChannel, signatureOf } from "./webhook-channel.ts";

const MESSAGE: ChannelMessage = {
  id: "message-1",
  event: "study-failed",
  atMs: 0,
  subject: "a study failed",
  text: "job-1",
  notices: [
    { id: "notice-1", event: "study-failed", atMs: 0, project: "lung", facts: { job: "job-1", project: "lung" } },
  ],
  count: 1,
};

async function textOf(request: IncomingMessage): Promise<string> {
  let text = "";
  for await (const piece of request.setEncoding("utf8")) text += piece;
  return text;
}

const channelTo = (url: string, secret = "a secret") =>
  createWebhookChannel({
    name: "hook",
    url,
    secret: () => Promise.resolve(secret),
    tls: () => Promise.resolve(undefined),
    clock: { ...systemClock, nowMs: () => 1_700_000_000_999 },
  });

it("posts JSON that the other side can tell to be ours, whole and new", async () => {
  const asked: {
    readonly method: string;
    readonly url: string;
    readonly headers: IncomingMessage["headers"];
    readonly text: string;
  }[] = [];
  await using server = await startHttpServer(async (request, response) => {
    const { method = "", url = "", headers } = request;
    asked.push({ method, url, headers, text: await textOf(request) });
    response.writeHead(204).end();
  });
  const channel = channelTo(`${server.url}/hooks/radferry?of=us`);
  await channel.check(neverAborted());
  await channel.send(MESSAGE, neverAborted());
  const [checked, sent] = asked;
  expect(checked?.method).toBe("HEAD");
  expect(sent).toMatchObject({ method: "POST", url: "/hooks/radferry?of=us" });
  const { "webhook-id": id, "webhook-timestamp": at, "webhook-signature": signature } = sent?.headers ?? {};
  expect([id, at]).toEqual(["message-1", "1700000000"]);
  const expected = createHmac("sha256", "a secret").update(`${id}.${at}.${sent?.text}`).digest("base64");
  expect(signature).toBe(`v1,${expected}`);
  expect(JSON.parse(sent?.text ?? "")).toEqual({
    id: "message-1",
    event: "study-failed",
    at: "1970-01-01T00:00:00.000Z",
    subject: "a study failed",
    text: "job-1",
    count: 1,
    notices: [{ id: "notice-1", event: "study-failed", at: "1970-01-01T00:00:00.000Z", job: "job-1", project: "lung" }],
  });
});

/** The example of the Standard Webhooks specification. */
it("signs as the specification's own example", () => {
  const secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
  const body = '{"test": 2432232314}';
  const signed = signatureOf(secret, { id: "msg_p5jXN8AQM9LWM0D4loKWxJek", nowMs: 1_614_265_330_000, body });
  expect(signed["webhook-signature"]).toBe("v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
});

it.each<[number, string]>([
  [302, "HTTP_REDIRECTED"],
  [401, "HTTP_UNAUTHORISED"],
  [410, "HTTP_NOT_FOUND"],
  [500, "HTTP_SERVER_FAILED"],
  [503, "HTTP_UNAVAILABLE"],
])("tells of an answer %i, and follows nobody elsewhere", async (status, code) => {
  let asked = 0;
  await using server = await startHttpServer((_, response) => {
    asked += 1;
    response.writeHead(status, { location: "/elsewhere", "retry-after": "7" }).end();
  });
  await expect(channelTo(server.url).send(MESSAGE, neverAborted())).rejects.toMatchObject({ code });
  expect(asked).toBe(1);
});

it("tells of somebody who is not there, and gives up when it is told to", async () => {
  const nobody = channelTo(`http://127.0.0.1:${await freePort()}`);
  await expect(nobody.check(neverAborted())).rejects.toMatchObject({ code: "CONNECTION_FAILED" });
  const { promise: isAsked, resolve } = Promise.withResolvers<void>();
  await using server = await startHttpServer(() => resolve());
  const stop = new AbortController();
  const sending = channelTo(server.url).send(MESSAGE, stop.signal);
  await isAsked;
  stop.abort(new Error("enough"));
  await expect(sending).rejects.toThrow("enough");
});
