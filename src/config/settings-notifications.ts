import type { NoticeEvent } from "../units/notifications.ts";
import type { Manifest } from "./manifest.ts";
import type { AbsolutePathIfAny } from "./settings-peers.ts";

type NotificationManifest = Manifest["notifications"][number];

interface CommonSettings {
  readonly name: string;
  readonly events: readonly NoticeEvent[];
  /** Undefined: every project. */
  readonly projects?: readonly string[] | undefined;
  readonly digestMs: number;
  readonly templatesFile: string | undefined;
  readonly authoritiesFile: string | undefined;
}

export interface MailSettings extends CommonSettings {
  readonly kind: "mail";
  readonly host: string;
  readonly port: number;
  readonly tls: "starttls" | "implicit" | "none";
  readonly username?: string | undefined;
  readonly passwordFile: string | undefined;
  readonly from: string;
  readonly to: readonly string[];
}

export interface WebhookSettings extends CommonSettings {
  readonly kind: "webhook";
  readonly url: string;
  readonly secretFile: string;
}

/** A channel of notifications; paths are absolute. */
export type NotificationSettings = MailSettings | WebhookSettings;

export function resolveNotification(channel: NotificationManifest, ifAny: AbsolutePathIfAny): NotificationSettings {
  const { digestMinutes, templatesFile, authoritiesFile } = channel;
  const common = {
    digestMs: digestMinutes * 60_000,
    templatesFile: ifAny(templatesFile),
    authoritiesFile: ifAny(authoritiesFile),
  };
  if (channel.kind === "webhook") {
    const { name, kind, events, projects, url, secretFile } = channel;
    return { name, kind, events, projects, url, secretFile: ifAny(secretFile) ?? secretFile, ...common };
  }
  const { name, kind, events, projects, host, port, tls, username, passwordFile, from, to } = channel;
  const server = { host, port, tls, username, passwordFile: ifAny(passwordFile), from, to };
  return { name, kind, events, projects, ...server, ...common };
}
