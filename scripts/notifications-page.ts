import { placeholdersOf } from "../src/observe/notifications/templates.ts";
import { NOTICE_EVENT_NAMES, NOTICE_EVENTS } from "../src/units/notifications.ts";
import { tableCell } from "./table-cell.ts";

/** In every template. */
const COMMON: ReadonlySet<string> = new Set(["event", "at"]);

/** docs/notifications.md: what happens that people can be told of, from its table. */
export function notificationsPage(): string {
  const rows = NOTICE_EVENT_NAMES.map((name) => {
    const { when, urgency } = NOTICE_EVENTS[name];
    const placeholders = placeholdersOf(name).filter((each) => !COMMON.has(each));
    const told = urgency === "digest" ? "in the digest" : urgency;
    return `| \`${name}\` | ${tableCell(when)} | ${told} | ${placeholders.map((each) => `\`${each}\``).join(", ")} |`;
  });
  const table = ["| event | when | told | placeholders |", "|---|---|---|---|", ...rows].join("\n");
  return `${BEFORE_EVENTS}${table}${AFTER_EVENTS}`;
}

const BEFORE_EVENTS = `# Notifications

A running service tells people by mail and programs by webhook what happens, over channels that \`notifications\` in the [settings](settings.md) lists. No
message holds an identifier of a patient: studies go by the id of their job, cohorts by theirs.

\`\`\`
notifications:
  - name: operators
    kind: mail
    host: mail.example.org          # port 587 with STARTTLS unless told
    username: radferry
    passwordFile: secrets/mail-password
    from: radferry@example.org
    to: [imaging-operators@example.org]
    events: [archive-down, archive-back, staging-low, study-failed, study-quarantined]
  - name: tracker
    kind: webhook
    url: https://tracker.example.org/radferry
    secretFile: secrets/tracker-secret
    events: [cohort-done]
    projects: [lung-ct]
\`\`\`

\`radferry notification test operators\` sends a message now, \`radferry notification list\` shows what waits for each channel, \`radferry doctor\` asks whether each can be reached, \`radferry config check\`
reads the files. The API has \`GET /notifications\` and \`POST /notifications/{name}/test\`. Channels are taken in when the service starts.

## Events

A channel is told of the \`events\` it lists, all of them when it lists none; with \`projects\`, of studies and cohorts of these projects alone.

`;

const AFTER_EVENTS = `

What can wait is collected for \`digestMinutes\` (an hour unless told) and told together, with counts by event, project and code. What cannot wait is told at once, in up to twenty messages
in that time; what is more goes into the next digest. A cohort of which nothing was left to do when it was handed in is not told.

## What is certain

- Notices are kept in the store before anything is sent: they survive \`kill -9\`, and each is sent at least once. One that was sent when the process died may
  come twice, with the same id (\`Message-ID\` of the mail, \`webhook-id\`, and \`id\` of each notice).
- A channel that does not answer holds up neither work nor other channels. It is tried again after 5 seconds, then twice as long each time, up to a quarter of an hour; what came meanwhile is told together.
  What the other side asks for by \`Retry-After\` is kept to, for a quarter of an hour at most.
- Up to 5,000 notices wait for a channel; of more, the number is told. What could not be told for a week is given up.
- A mail counts as sent when the mail server took it for at least one recipient. Where each person matters, use a list of the mail server's.
- \`radferry_notifications_total\` counts messages by channel and outcome ([metrics.md](metrics.md)).

## Words of your own

\`templatesFile\` names a YAML file with \`subject\` (one line) and \`text\` for the events that you want to word yourself; the others stay as usual. \`digest\` and \`test\` can be worded too.

\`\`\`
cohort-done:
  subject: "{{project}}: cohort {{cohort}} is done"
  text: |
    {{delivered}} of {{total}} studies are in the research store.
\`\`\`

Placeholders stand in double braces; there are no conditions or loops. \`{{at}}\` and \`{{event}}\` are there for every event, the table names the others. Of an event with a \`code\`, \`{{summary}}\` and \`{{remedy}}\` give what [errors.md](errors.md) says.
A digest has \`{{count}}\`, \`{{from}}\`, \`{{to}}\`, \`{{counts}}\` and \`{{lines}}\`, a test \`{{channel}}\`. \`config check\` names a placeholder that is not there.

## Mail

\`tls\` is \`starttls\` (port 587; no mail goes without it), \`implicit\` (port 465) or \`none\` (port 25, without a login but on this machine). The server's certificate must be vouched for by the system's authorities, or those of \`authoritiesFile\`.

## Webhooks

A message is a POST of JSON: \`id\`, \`event\` (or \`digest\`, \`test\`), \`at\`, \`subject\`, \`text\`, \`count\`, and \`notices\` with \`id\`, \`event\`, \`at\` and what the table names, up to 500 of them. An answer of 200 to 299 within 30 seconds means
that it was taken; redirects are not followed.

It is signed as [Standard Webhooks](https://www.standardwebhooks.com) has it, and their libraries check it. By hand: the header \`webhook-signature\` is \`v1,\` and the Base64 of the HMAC-SHA-256,
under the secret of \`secretFile\`, over \`webhook-id\`, a dot, \`webhook-timestamp\`, a dot, and the body as it came. Refuse what differs (compare in constant time), time stamps more than five minutes off, and ids that you have had. A secret that begins with \`whsec_\` is the Base64 of the key; any other is taken as it is.

\`\`\`
import { createHmac, timingSafeEqual } from "node:crypto";

function isOurs(headers, body, secret) {
  const signed = \`\${headers["webhook-id"]}.\${headers["webhook-timestamp"]}.\${body}\`;
  const expected = Buffer.from(\`v1,\${createHmac("sha256", secret).update(signed).digest("base64")}\`);
  const given = Buffer.from(headers["webhook-signature"] ?? "");
  const isNew = Math.abs(Date.now() / 1000 - Number(headers["webhook-timestamp"])) < 300;
  return isNew && given.length === expected.length && timingSafeEqual(given, expected);
}
\`\`\`
`;
