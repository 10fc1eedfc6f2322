import type { Actor } from "./actor.ts";

interface AuditCode {
  readonly code: string;
  readonly meaning: string;
}

const CODES = {
  applicationActivity: { code: "110100", meaning: "Application Activity" },
  auditLogUsed: { code: "110101", meaning: "Audit Log Used" },
  instancesAccessed: { code: "110103", meaning: "DICOM Instances Accessed" },
  import: { code: "110107", meaning: "Import" },
  export: { code: "110106", meaning: "Export" },
  login: { code: "110122", meaning: "Login" },
  logout: { code: "110123", meaning: "Logout" },
  securityAlert: { code: "110113", meaning: "Security Alert" },
  applicationStart: { code: "110120", meaning: "Application Start" },
  applicationStop: { code: "110121", meaning: "Application Stop" },
  securityConfiguration: { code: "110129", meaning: "Security Configuration" },
  restrictedFunction: { code: "110132", meaning: "Use of Restricted Function" },
  userAuthentication: { code: "110114", meaning: "User Authentication" },
  userSecurityChanged: { code: "110137", meaning: "User Security Attributes Changed" },
} as const satisfies Record<string, AuditCode>;

interface AuditEventEntry {
  readonly when: string;
  readonly id: AuditCode;
  readonly type?: AuditCode;
}

/**
 * What is written to the audit trail, by our own names, with the event's identification and, where it has one, its type in the standard's
 * vocabulary (coding scheme DCM). PS3.15 A.5, PS3.16 CID 400 and 401.
 */
export const AUDIT_EVENTS = {
  "acquisition-ended": {
    when: "an attempt of a scanner at a task ended: finished, failed or cancelled",
    id: CODES.applicationActivity,
  },
  "archive-controlled": {
    when: "somebody pauses or resumes an archive, or changes its rate or windows",
    id: CODES.applicationActivity,
  },
  "audit-read": { when: "somebody reads or verifies the audit trail", id: CODES.auditLogUsed },
  "backup-made": {
    when: "a copy of the whole store is about to be written, with what it says of people",
    id: CODES.export,
  },
  "backup-restored": { when: "a home was made of a backup", id: CODES.import },
  "cohort-checked": {
    when: "somebody has archives and destinations asked whether they have what a cohort brought",
    id: CODES.applicationActivity,
  },
  "cohort-exported": {
    when: "the rows of a cohort are about to be given out, with what they say of people",
    id: CODES.export,
  },
  "cohort-planned": {
    when: "somebody has the archives asked what a cohort would come to",
    id: CODES.applicationActivity,
  },
  "cohort-searched": {
    when: "somebody searches an archive for a cohort, or is about to be given what was found, with what it says of people",
    id: CODES.export,
  },
  "cohort-submitted": { when: "somebody handed a cohort in", id: CODES.import },
  "delivery-done": { when: "a destination was read back and holds the study", id: CODES.export },
  "evidence-exported": {
    when: "the evidence of a cohort is about to be given out; it names nobody",
    id: CODES.export,
  },
  "identified-values-shown": {
    when: "values of an original, or who a study is of, are about to be shown",
    id: CODES.instancesAccessed,
    type: CODES.restrictedFunction,
  },
  "intake-assigned": {
    when: "somebody gives a study that was sent to us to a project",
    id: CODES.applicationActivity,
  },
  "intake-discarded": {
    when: "somebody discards a study that was sent to us; its files are removed",
    id: CODES.applicationActivity,
  },
  "linkage-destroyed": {
    when: "the links of a project between pseudonyms and patients are destroyed, with the key that they are sealed under",
    id: CODES.securityAlert,
    type: CODES.securityConfiguration,
  },
  "linkage-exported": {
    when: "every link of a project between pseudonyms and patients is about to be given out",
    id: CODES.export,
  },
  "node-forgotten": {
    when: "somebody gives up a gateway that is gone for good, with what lay on its disk alone",
    id: CODES.applicationActivity,
    type: CODES.restrictedFunction,
  },
  "notification-tested": { when: "somebody sends a test message over a channel", id: CODES.applicationActivity },
  "operation-refused": {
    when: "somebody's role does not allow what was asked",
    id: CODES.securityAlert,
    type: CODES.restrictedFunction,
  },
  "patient-withdrawal-ended": {
    when: "of a patient who was withdrawn nothing is left at any destination, and who it was is forgotten",
    id: CODES.applicationActivity,
  },
  "patient-withdrawn": {
    when: "somebody withdraws a patient from a project; named by a keyed reference",
    id: CODES.applicationActivity,
    type: CODES.restrictedFunction,
  },
  "priority-changed": { when: "somebody makes waiting studies more or less urgent", id: CODES.applicationActivity },
  "project-key-changed": {
    when: "a project goes on with another key",
    id: CODES.securityAlert,
    type: CODES.securityConfiguration,
  },
  "quarantine-entered": { when: "a study is quarantined", id: CODES.securityAlert },
  "scan-file-given-out": {
    when: "a file that a scanner sent is about to be given out, with what it says of people",
    id: CODES.export,
  },
  "scan-task-changed": {
    when: "somebody makes, cancels or retries a task of a scanner",
    id: CODES.applicationActivity,
  },
  "scanner-access-changed": {
    when: "a scanner or a token for scanners is registered, made or revoked at the command line",
    id: CODES.securityAlert,
    type: CODES.securityConfiguration,
  },
  "service-started": {
    when: "a process begins to work on the home",
    id: CODES.applicationActivity,
    type: CODES.applicationStart,
  },
  "service-stopped": {
    when: "it ends in order; after a kill this is missing",
    id: CODES.applicationActivity,
    type: CODES.applicationStop,
  },
  "session-begun": {
    when: "somebody logs in, with a token or by OpenID Connect",
    id: CODES.userAuthentication,
    type: CODES.login,
  },
  "session-ended": { when: "somebody logs out", id: CODES.userAuthentication, type: CODES.logout },
  "session-refused": {
    when: "a log-in by OpenID Connect is turned away: the user has no role here, or the answer is nobody's",
    id: CODES.userAuthentication,
    type: CODES.login,
  },
  "settings-reloaded": {
    when: "the running service is about to go on with other archives, destinations or projects",
    id: CODES.securityAlert,
    type: CODES.securityConfiguration,
  },
  "staging-swept": {
    when: "identifiable studies that nobody needs any more were removed from staging",
    id: CODES.applicationActivity,
  },
  "study-released": {
    when: "an admin releases a study from quarantine",
    id: CODES.securityAlert,
    type: CODES.restrictedFunction,
  },
  "study-mended": {
    when: "a check found a difference, and the study is retrieved and delivered again for it",
    id: CODES.applicationActivity,
  },
  "standing-cohort-added": {
    when: "somebody has a search asked again by a timetable",
    id: CODES.applicationActivity,
  },
  "standing-cohort-changed": {
    when: "somebody pauses or resumes a standing cohort, or has it run now",
    id: CODES.applicationActivity,
  },
  "standing-cohort-removed": { when: "somebody removes a standing cohort", id: CODES.applicationActivity },
  "store-moved": { when: "the store of a home was moved to a database server", id: CODES.import },
  "studies-cancelled": { when: "somebody cancels a study or a cohort", id: CODES.applicationActivity },
  "studies-retried": { when: "somebody has a study or a cohort tried again", id: CODES.applicationActivity },
  "token-created": {
    when: "somebody is given a token of the API",
    id: CODES.securityAlert,
    type: CODES.userSecurityChanged,
  },
  "token-refused": {
    when: "requests with a wrong, expired or revoked token begin to be turned away at an address",
    id: CODES.userAuthentication,
    type: CODES.login,
  },
  "token-revoked": {
    when: "a token of the API ends before its time",
    id: CODES.securityAlert,
    type: CODES.userSecurityChanged,
  },
} as const satisfies Record<string, AuditEventEntry>;
export type AuditEventName = keyof typeof AUDIT_EVENTS;

/** Something to be written down for good. None of it may be an identifier of a patient. */
export interface AuditEvent {
  readonly event: AuditEventName;
  readonly actor: Actor;
  /** `refused`: the actor may not do it; nothing was done. */
  readonly outcome: "success" | "refused";
  /** A study job by its id, which says nothing of the study. */
  readonly job?: string;
  readonly project?: string;
  /** Counts, codes, tags, names of the site's own. */
  readonly detail?: Readonly<Record<string, string | number | boolean>>;
}

/** Where events go that are no part of a change of the store; those that are go with the change, in one transaction. */
export interface AuditTrail {
  /** Resolves when it is on disk. @throws GatewayError STORE_… : what cannot be written down must not be done */
  record(event: AuditEvent): Promise<void>;
}
