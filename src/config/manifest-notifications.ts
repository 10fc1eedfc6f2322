import { z } from "zod";
import { NOTICE_EVENT_NAMES } from "../units/notifications.ts";
import { hostSetting, nameSetting, pathSetting, portSetting, textSetting, urlSetting } from "./scalars.ts";

/** RFC 5321 4.1.2, without quoted local parts; or with a name before it: `Radferry <radferry@example.org>`. */
const ADDRESS = /^(?:[^<>\r\n"]{1,100} <)?[A-Za-z0-9.!#$%&'*+/=?^_{|}~-]{1,64}@[A-Za-z0-9.-]{1,253}>?$/;

const addressSetting = z
  .string()
  .refine(
    (text) => ADDRESS.test(text) && text.includes(" <") === text.endsWith(">"),
    "an address such as radferry@example.org is expected",
  );

const common = {
  name: nameSetting.meta({ description: "What the channel is called; stands in metrics and logs." }),
  events: z
    .array(z.enum(NOTICE_EVENT_NAMES))
    .min(1)
    .max(100)
    .default([...NOTICE_EVENT_NAMES])
    .meta({ description: "What it is told of; docs/notifications.md says when each happens." }),
  projects: z
    .array(nameSetting)
    .min(1)
    .max(1_000)
    .optional()
    .meta({ description: "Of studies and cohorts, only those of these projects; left out: of all." }),
  digestMinutes: z
    .number()
    .min(1)
    .max(1_440)
    .default(60)
    .meta({ description: "What can wait is collected for so long and told together." }),
  templatesFile: pathSetting
    .optional()
    .meta({ description: "YAML file of the site's own words, by event; left out: the usual ones." }),
  authoritiesFile: pathSetting
    .optional()
    .meta({ description: "File of the authorities that vouch for the server; left out: those the system trusts." }),
};

const mailSettings = z.strictObject({
  ...common,
  kind: z.literal("mail").meta({ description: "How it is told: mail by SMTP, or webhook by HTTP." }),
  host: hostSetting.meta({ description: "The mail server." }),
  port: portSetting.default(587).meta({ description: "Its port: 587 with starttls, 465 with implicit, 25 with none." }),
  tls: z.enum(["starttls", "implicit", "none"]).default("starttls").meta({
    description: "starttls: TLS after the greeting, and not without it; implicit: from the start; none: in the clear.",
  }),
  username: textSetting.optional().meta({ description: "User at the mail server; left out: without a login." }),
  passwordFile: pathSetting.optional().meta({ description: "File that holds the user's password." }),
  from: addressSetting.meta({ description: "Sender, as radferry@example.org." }),
  to: z.array(addressSetting).min(1).max(50).meta({ description: "Recipients." }),
});

const webhookSettings = z.strictObject({
  ...common,
  kind: z.literal("webhook"),
  url: urlSetting.meta({ description: "Where messages are posted to." }),
  secretFile: pathSetting.meta({
    description: "File that holds the secret by which the other side knows that a message is ours.",
  }),
});

export const notificationSettings = z.discriminatedUnion("kind", [mailSettings, webhookSettings]);
