import type { NoticeEvent } from "../../units/notifications.ts";

/** Placeholders are `{{name}}`. */
export interface Template {
  /** One line. */
  readonly subject: string;
  readonly text: string;
}

export type TemplateName = NoticeEvent | "digest" | "test";
export type Templates = { readonly [Name in TemplateName]: Template };

const REASON = "\n\nReason: {{code}}: {{summary}}\nWhat to do: {{remedy}}\n";

/** What is said where a site has no words of its own. */
export const USUAL_TEMPLATES: Templates = {
  "archive-back": {
    subject: "Radferry: archive {{archive}} is back",
    text: "The archive {{archive}} is asked again since {{at}}. Studies that waited for it go on by themselves.\n",
  },
  "archive-down": {
    subject: "Radferry: archive {{archive}} does not answer",
    text: `The archive {{archive}} is left alone for a while since {{at}}; its studies wait.${REASON}`,
  },
  "archive-paused": {
    subject: "Radferry: archive {{archive}} is paused",
    text: "Somebody paused the archive {{archive}} at {{at}}. Its studies wait until it is resumed.\n",
  },
  "audit-trail-broken": {
    subject: "Radferry: the audit trail is not as it was written",
    text: `The audit trail of {{records}} records has {{findings}} findings at {{at}}.${REASON}`,
  },
  "cohort-done": {
    subject: "Radferry: cohort {{cohort}} of {{project}} is done",
    text:
      "The cohort {{cohort}} of {{project}} is done at {{at}}: {{delivered}} of {{total}} studies delivered.\n\n" +
      "excluded {{excluded}}, not found {{notFound}}, held {{held}}, quarantined {{quarantined}}, failed {{failed}}, " +
      "cancelled {{cancelled}}\n",
  },
  "intake-held": {
    subject: "Radferry: {{studies}} studies that were sent wait for a person",
    text:
      "{{studies}} studies that were sent unasked are held since {{at}} or longer: no rule says whose they are, or several do.\n\n" +
      "What to do: look at them (radferry intake list --state held), then give them to a project or discard them.\n",
  },
  "service-started": {
    subject: "Radferry: the service has started",
    text: "The gateway {{node}}, version {{version}}, works since {{at}}. The end of the one before it: {{ended}}.\n",
  },
  "service-stopped": {
    subject: "Radferry: the service has stopped",
    text: "The gateway {{node}}, version {{version}}, stopped in order at {{at}}.\n",
  },
  "staging-enough": {
    subject: "Radferry: staging has room again",
    text: "Staging of the gateway {{node}} has {{freeGigabytes}} GB free at {{at}}, with a reserve of {{reserveGigabytes}} GB. Retrieval goes on.\n",
  },
  "staging-low": {
    subject: "Radferry: staging is nearly full",
    text: `Staging of the gateway {{node}} has {{freeGigabytes}} GB free at {{at}}, less than its reserve of {{reserveGigabytes}} GB.${REASON}`,
  },
  "standing-run-failed": {
    subject: "Radferry: a run of the standing cohort {{standing}} of {{project}} is {{state}}",
    text: `Run {{run}} of the standing cohort {{standing}} of {{project}} is {{state}} since {{at}}.${REASON}`,
  },
  "study-failed": {
    subject: "Radferry: a study of {{project}} failed",
    text: `The study job {{job}} of {{project}} failed at {{at}}.${REASON}`,
  },
  "study-quarantined": {
    subject: "Radferry: a study of {{project}} is quarantined",
    text: `The study job {{job}} of {{project}} waits for a person since {{at}}.${REASON}`,
  },
  digest: {
    subject: "Radferry: {{count}} notices",
    text: "{{count}} notices from {{from}} to {{to}}:\n\n{{counts}}\n\n{{lines}}\n",
  },
  test: {
    subject: "Radferry: a test of the channel {{channel}}",
    text: "Somebody tried at {{at}} whether messages arrive over the channel {{channel}}. They do.\n",
  },
};
