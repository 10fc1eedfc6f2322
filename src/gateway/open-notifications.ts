import { readPasswordFile } from "../config/credential-files.ts";
import { loadTlsClient } from "../config/peer-credentials.ts";
import type { Settings } from "../config/settings.ts";
import type { MailSettings, NotificationSettings, WebhookSettings } from "../config/settings-notifications.ts";
import { loadTemplates } from "../config/template-files.ts";
import { composeTest } from "../observe/notifications/compose-message.ts";
import { createMailChannel } from "../observe/notifications/mail-channel.ts";
import { type NotifierOptions, startNotifier } from "../observe/notifications/notifier.ts";
import { createWebhookChannel } from "../observe/notifications/webhook-channel.ts";
import type { NotificationFacts, OwnCheck } from "../operations/context.ts";
import type { Clock } from "../units/clock.ts";
import type { Disk } from "../units/disk.ts";
import type { Channel } from "../units/notifications.ts";
import type { GatewayNode } from "./node.ts";

interface NotificationParts extends Pick<NotifierOptions, "store" | "clock" | "metrics" | "logger" | "version"> {
  readonly node: Pick<GatewayNode, "name" | "permits" | "alone">;
  readonly settings: Settings;
  readonly disk: Disk;
}

/** Tells from now on. @param archives those there are now. @throws GatewayError NOTIFICATION_TEMPLATES_…, STORE_… */
export async function openNotifier(
  parts: NotificationParts,
  archives: () => Iterable<string>,
): Promise<AsyncDisposable> {
  const { settings, disk, clock, node } = parts;
  const { path, reserveGigabytes } = settings.staging;
  const channels: NotifierOptions["channels"][number][] = [];
  for (const channel of settings.notifications) {
    const { name, events, projects, digestMs, templatesFile } = channel;
    channels.push({
      channel: channelOf(channel, clock),
      templates: await loadTemplates(templatesFile),
      digestMs,
      subscription: { channel: name, events, projects },
    });
  }
  return await startNotifier({
    ...parts,
    node: node.name,
    alone: node.permits && node.alone,
    channels,
    archives,
    freeBytes: () => disk.freeBytes(path),
    reserveBytes: reserveGigabytes * 1e9,
  });
}

/** Channels as people try them: without the outbox, so that a verb beside a running service disturbs nothing. */
export function notificationFacts({ notifications }: Settings, clock: Clock): ReadonlyMap<string, NotificationFacts> {
  return new Map(
    notifications.map((settings) => {
      const { name, kind, events, projects, templatesFile } = settings;
      const channel = channelOf(settings, clock);
      const test = async (signal: AbortSignal): Promise<void> =>
        await channel.send(composeTest(await loadTemplates(templatesFile), name, clock.nowMs()), signal);
      return [name, { name, kind, events, projects, test }];
    }),
  );
}

/** What `doctor` asks: whether each could be sent over now. Nothing is. */
export function notificationChecks({ notifications }: Settings, clock: Clock): readonly OwnCheck[] {
  return notifications.map((settings) => ({
    what: `channel ${settings.name} can be told over`,
    async examine(signal) {
      await loadTemplates(settings.templatesFile);
      await channelOf(settings, clock).check(signal);
      return settings.kind === "mail" ? "yes" : "yes, somebody answers; `notification test` tells whether he takes it";
    },
  }));
}

function channelOf(settings: NotificationSettings, clock: Clock): Channel {
  return settings.kind === "mail" ? mailOf(settings) : webhookOf(settings, clock);
}

function mailOf({ username, passwordFile, authoritiesFile, ...server }: MailSettings): Channel {
  const user =
    username === undefined || passwordFile === undefined
      ? undefined
      : { name: username, password: () => readPasswordFile(passwordFile) };
  return createMailChannel({ ...server, user, security: () => loadTlsClient({ authoritiesFile }) });
}

function webhookOf({ name, url, secretFile, authoritiesFile }: WebhookSettings, clock: Clock): Channel {
  const secret = () => readPasswordFile(secretFile);
  return createWebhookChannel({ name, url, secret, tls: () => loadTlsClient({ authoritiesFile }), clock });
}
