import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, it } from "vitest";
import { freePort } from "../peers/free-port.ts";
import { startMailServer } from "../peers/mail-server.ts";
import { openApiSite } from "../support/api.ts";
import { makeSite } from "../support/site.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";
import { startWebhookReceiver } from "../support/webhook-receiver.ts";

const SECRET = "a secret that both sides have";
const COHORT = "accession_number,mrn\nA-4711,P-4711\n";

interface Listeners {
  readonly folder: string;
  readonly mailPort: number;
  readonly hookUrl: string;
}

/** One project, a mail channel with words of its own, and a webhook for everything. */
async function settingsFor({ folder, mailPort, hookUrl }: Listeners): Promise<Readonly<Record<string, unknown>>> {
  const file = async (name: string, text: string): Promise<string> => {
    await writeFile(join(folder, name), text, { mode: 0o600 });
    return join(folder, name);
  };
  const own = { "cohort-done": { subject: "{{cohort}}: {{cancelled}} of {{total}} cancelled", text: "{{project}}\n" } };
  return {
    archives: [{ name: "vna", kind: "dimse", retrieve: "get", address: `VNA@127.0.0.1:${await freePort()}` }],
    destinations: [{ name: "store", kind: "folder", path: join(folder, "out") }],
    projects: [
      {
        name: "lung",
        archives: ["vna"],
        destinations: ["store"],
        profile: "research",
        keyFile: await file("key", "01".repeat(32)),
      },
    ],
    notifications: [
      {
        name: "operators",
        kind: "mail",
        host: "127.0.0.1",
        port: mailPort,
        tls: "none",
        from: "radferry@example.org",
        to: ["operators@example.org"],
        events: ["cohort-done", "archive-paused"],
        templatesFile: await file("templates.yaml", JSON.stringify(own)),
      },
      { name: "tracker", kind: "webhook", url: hookUrl, secretFile: await file("secret", `${SECRET}\n`) },
    ],
  };
}

it("tells people by mail and programs by webhook what becomes of a cohort, and no identifier of anybody", async () => {
  await using folder = await temporaryFolder();
  await using mail = await startMailServer();
  await using hook = await startWebhookReceiver(SECRET);
  hook.status = 204;
  const settings = await settingsFor({ folder: folder.path, mailPort: mail.port, hookUrl: hook.url });
  await using site = await openApiSite({ settings });
  await hook.notice(({ event, ended }) => event === "service-started" && ended === "none");
  await site.call("POST", "/archives/vna/pause");
  await mail.taken(1);
  expect(mail.mails[0]?.subject).toBe("Radferry: archive vna is paused");
  const upload = { body: COHORT, headers: { "content-type": "text/csv" } };
  const { cohort } = (await site.call("POST", "/cohorts?project=lung", upload)).json as { readonly cohort: string };
  await site.call("POST", `/cohorts/${cohort}/cancel`);
  await mail.taken(2);
  expect(mail.mails[1]).toMatchObject({ subject: `${cohort}: 1 of 1 cancelled`, to: ["operators@example.org"] });
  expect(await hook.notice(({ event }) => event === "cohort-done")).toMatchObject({
    cohort,
    project: "lung",
    total: 1,
  });

  expect((await site.call("GET", "/notifications")).json).toMatchObject({
    items: [
      { name: "operators", kind: "mail", projects: null },
      { name: "tracker", kind: "webhook", waiting: 0 },
    ],
  });
  expect((await site.call("POST", "/notifications/operators/test")).json).toMatchObject({ ok: true });
  expect(mail.mails[2]?.subject).toBe("Radferry: a test of the channel operators");
  hook.status = 500;
  expect((await site.call("POST", "/notifications/tracker/test")).json).toMatchObject({
    ok: false,
    code: "HTTP_SERVER_FAILED",
  });
  expect(await site.call("POST", "/notifications/nobody/test")).toMatchObject({
    status: 404,
    json: { code: "NOTIFICATION_CHANNEL_UNKNOWN" },
  });
  const { text: metrics } = await site.call("GET", "//metrics");
  expect(metrics).toMatch(/radferry_notifications_total\{channel="operators",outcome="sent"\} [12]/);
  expect(JSON.stringify([mail.mails, hook.told])).not.toContain("4711");
});

it("keeps what could not be told over kill -9, and tells of the kill; doctor and the verb try the channel", async () => {
  await using hook = await startWebhookReceiver(SECRET);
  const archives = [{ name: "vna", address: `VNA@127.0.0.1:${await freePort()}`, retrieve: "get" }] as const;
  const notifications = [{ name: "tracker", kind: "webhook", url: hook.url, secretFile: "secret" }];
  await using site = await makeSite({ dicomPort: await freePort(), archives, notifications });
  await writeFile(join(site.folder, "secret"), SECRET, { mode: 0o600 });
  const first = await site.serve();
  await hook.asked(1);
  await first.kill();
  expect(hook.told).toEqual([]);
  expect((await site.run("notification", "list")).document).toMatchObject([{ name: "tracker", waiting: 1 }]);
  hook.status = 204;
  {
    await using _ = await site.serve();
    await hook.notice(({ ended }) => ended === "none");
    await hook.notice(({ ended }) => ended === "unexpected");
  }
  await hook.notice(({ event }) => event === "service-stopped");
  const ids = hook.told.flatMap(({ notices }) => notices.map(({ id }) => id));
  expect(new Set(ids).size).toBe(ids.length);
  const { document } = await site.run("doctor");
  const checks = document.checks as readonly { readonly check: string; readonly ok: boolean }[];
  expect(checks.find(({ check }) => check.includes("channel tracker"))).toMatchObject({ ok: true });
  expect(await site.run("notification", "test", "tracker")).toMatchObject({ exitCode: 0, document: { ok: true } });
  expect(hook.told.at(-1)).toMatchObject({ event: "test", notices: [] });
});
