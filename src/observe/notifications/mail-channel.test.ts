import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { makeCertificate, type TestCertificate } from "../../../test/peers/certificates.ts";
import { freePort } from "../../../test/peers/free-port.ts";
import { type MailServer, type MailServerOptions, startMailServer } from "../../../test/peers/mail-server.ts";
import { requirePeer } from "../../../test/peers/require-peer.ts";
import { temporaryFolder } from "../../../test/support/temporary-folder.ts";
import { neverAborted } from "../../units/abort.ts";
import type { ChannelMessage } from "../../units/notifications.ts";
import { createMailChannel, type MailOptions } from "./mail-channel.ts";

const MESSAGE: ChannelMessage = {
  id: "message-1",
  event: "study-failed",
  atMs: Date.UTC(2026, 0, 2, 3, 4, 5),
  subject: "Radferry: a study of lung failed",
  text: "The study job job-1 of lung failed.\n.\nWhat to do: Grüße\n",
  notices: [],
  count: 1,
};
const GREYLISTED = { status: 451, at: "recipient" } as const;
const USER = { name: "radferry", password: "secret of mail" };
const login = (password = USER.password) => ({ name: USER.name, password: () => Promise.resolve(password) });

function channelTo({ port }: Pick<MailServer, "port">, facts: Partial<MailOptions> = {}) {
  return createMailChannel({
    name: "operators",
    host: "127.0.0.1",
    port,
    tls: "none",
    from: "Radferry <radferry@example.org>",
    to: ["one@example.org", "two@example.org"],
    user: undefined,
    security: () => Promise.resolve(undefined),
    ...facts,
  });
}

/** The code that sending ends with; undefined: it was taken. */
async function codeOf(options: MailServerOptions, facts: Partial<MailOptions> = {}): Promise<unknown> {
  await using server = await startMailServer(options);
  return await channelTo(server, facts)
    .send(MESSAGE, neverAborted())
    .then(
      () => undefined,
      ({ code }) => code,
    );
}

it("sends a mail that tells what it is, from whom and to whom", async () => {
  await using server = await startMailServer();
  await channelTo(server).check(neverAborted());
  expect(server.mails).toEqual([]);
  await channelTo(server).send(MESSAGE, neverAborted());
  const [mail] = server.mails;
  expect(mail).toMatchObject({
    from: "radferry@example.org",
    to: ["one@example.org", "two@example.org"],
    subject: MESSAGE.subject,
    isSecure: false,
  });
  for (const line of [
    "From: Radferry <radferry@example.org>",
    "Auto-Submitted: auto-generated",
    "Message-ID: <message-1@example.org>",
  ])
    expect(mail?.raw).toContain(line);
  expect(mail?.raw).toContain("Fri, 02 Jan 2026 03:04:05 +0000");
});

it.each<[string, MailServerOptions, string]>([
  ["greylists", { refusals: [GREYLISTED, GREYLISTED] }, "SMTP_DEFERRED"],
  ["has no room for the message", { refusals: [{ status: 452, at: "data" }] }, "SMTP_DEFERRED"],
  ["does not let the sender send", { refusals: [{ status: 550, at: "sender" }] }, "SMTP_REFUSED"],
  ["does not want the message", { refusals: [{ status: 554, at: "data" }] }, "SMTP_REFUSED"],
  ["wants a login", { user: USER }, "SMTP_REFUSED"],
])("tells of a server that %s", async (_, options, code) => {
  expect(await codeOf(options)).toBe(code);
});

it("tells of a server that is not there, that is silent, and that knows no TLS", async () => {
  expect(
    await channelTo({ port: await freePort() })
      .check(neverAborted())
      .catch(({ code }) => code),
  ).toBe("SMTP_UNAVAILABLE");
  expect(await codeOf({ hangs: true }, { silenceMs: 100 })).toBe("SMTP_TIMED_OUT");
  expect(await codeOf({}, { tls: "starttls" })).toBe("SMTP_TLS_FAILED");
});

it("gives up at once when it is told to, though the server hangs", async () => {
  await using server = await startMailServer({ hangs: true });
  const stop = new AbortController();
  const sending = channelTo(server).send(MESSAGE, stop.signal);
  stop.abort(new Error("enough"));
  await expect(sending).rejects.toThrow("enough");
});

describe.skipIf(!requirePeer("openssl"))("with TLS", () => {
  let certificate: TestCertificate;
  let folder: Awaited<ReturnType<typeof temporaryFolder>>;
  beforeAll(async () => {
    folder = await temporaryFolder();
    certificate = await makeCertificate(folder.path, "mail");
  });
  afterAll(() => folder[Symbol.asyncDispose]());
  const trusted = () => Promise.resolve({ certificateAuthorities: certificate.certificate });

  it.each([
    ["starttls", false],
    ["implicit", true],
  ] as const)("logs in by %s", async (tls, implicit) => {
    await using server = await startMailServer({ certificate, implicit, user: USER });
    await channelTo(server, { tls, user: login(), security: trusted }).send(MESSAGE, neverAborted());
    expect(server.mails).toMatchObject([{ user: USER.name, isSecure: true }]);
  });

  it("tells of a wrong password, and of a server that nobody vouches for", async () => {
    const options = { certificate, user: USER };
    expect(await codeOf(options, { tls: "starttls", user: login("wrong"), security: trusted })).toBe(
      "SMTP_LOGIN_REFUSED",
    );
    expect(await codeOf(options, { tls: "starttls", user: login() })).toBe("SMTP_TLS_FAILED");
    expect(await codeOf({ ...options, implicit: true }, { tls: "implicit", user: login() })).toBe("SMTP_TLS_FAILED");
  });
});
