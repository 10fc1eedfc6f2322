import { z } from "zod";
import { timeZoneSetting, windowSetting } from "../../config/scalars.ts";
import { code, count, countByName, detail, jobState, pageOf, remedy, role, stage, time } from "./fields.ts";

export const overview = z.object({
  at: time,
  total: count,
  states: countByName,
  counts: z.array(z.object({ project: z.string(), stage, state: jobState, jobs: count })),
  oldestWaitingSeconds: z.number().nullable(),
  nodes: z.object({ alive: count, silent: count }).nullable(),
  storeTrouble: z.object({ code, message: z.string(), remedy }).nullable(),
});

export const project = z.object({
  name: z.string(),
  archives: z.array(z.string()),
  destinations: z.array(z.string()),
  profile: z.string(),
  partial: z.enum(["hold", "deliver"]),
  accessionNumbersUnique: z.boolean(),
  states: countByName,
});
export const projectList = z.object({ items: z.array(project) });

export const archive = z.object({
  name: z.string(),
  kind: z.string(),
  address: z.string(),
  retrieve: z.enum(["move", "get"]).optional(),
  associations: count,
  state: z.enum(["open", "closed", "paused", "resting"]),
  code: code.optional(),
  until: time.optional(),
  opensAt: time.optional(),
  closesAt: time.optional(),
  windows: z.array(z.string()).optional(),
  timeZone: z.string().optional(),
  studiesPerMinute: z.number().optional(),
  bytesPerSecond: z.number().optional(),
  changed: z.array(z.string()).meta({ description: "what operators set in place of the settings" }),
});
export const archiveList = z.object({ items: z.array(archive) });

const AS_CONFIGURED = z.literal("configured");
const limit = (most: number) => z.union([z.number().positive().max(most), z.literal("unlimited"), AS_CONFIGURED]);

/** In the words of the command line. */
export const archiveChange = z.strictObject({
  paused: z.boolean().optional(),
  studiesPerMinute: limit(1_000_000).optional(),
  bytesPerSecond: limit(10 ** 12).optional(),
  windows: z.union([z.array(windowSetting).min(1).max(100), z.literal("always"), AS_CONFIGURED]).optional(),
  timeZone: timeZoneSetting.optional(),
});

/** An archive that does not answer is an answer too. */
export const echo = z.object({
  archive: z.string(),
  ok: z.boolean(),
  milliseconds: z.number(),
  code: code.optional(),
  message: z.string().optional(),
  remedy: remedy.optional(),
});

export const workerList = z.object({
  items: z.array(z.object({ name: z.string(), claims: count, lastClaimAt: time })),
});

export const nodeList = z.object({
  items: z.array(
    z.object({
      name: z.string(),
      version: z.string(),
      roles: z.array(z.string()),
      address: z.string().nullable().meta({ description: "of its DICOM listener; null: it has none" }),
      startedAt: time,
      seenAt: time,
      state: z.enum(["alive", "silent"]),
    }),
  ),
});

/** As node.name may be. */
export const nodeName = z.string().regex(/^[A-Za-z0-9._-]{1,64}$/);
export const nodeForgetWish = z.strictObject({
  reason: z.string().min(1).max(200).meta({ description: "why, without anything that tells a patient" }),
});
export const nodeForgotten = z.object({
  node: z.string(),
  forgotten: z.boolean(),
  withdrawals: count.meta({ description: "that waited for its disk, which nobody cleared" }),
  withdrawalsEnded: count.meta({ description: "of them, those that wait for nothing else" }),
  studiesFreed: count.meta({ description: "others go on with them; what it had of them is fetched again" }),
  studiesSoughtAnew: count.meta({ description: "sent to it unasked; looked for in archives, as a cohort names them" }),
  studiesLost: count.meta({ description: "sent to it unasked; ended with STUDY_LOST_WITH_NODE" }),
  heldLost: count.meta({ description: "sent to it unasked; waited for a person" }),
  permits: count,
});

export const settings = z
  .record(z.string(), z.unknown())
  .meta({ description: "as docs/settings.md names them, defaults filled in, secrets masked" });

const reloadedNames = z.object({
  added: z.array(z.string()),
  changed: z.array(z.string()),
  removed: z.array(z.string()),
});
export const reload = z.object({
  at: time,
  archives: reloadedNames,
  destinations: reloadedNames,
  projects: reloadedNames,
  others: z.array(z.string()).meta({ description: "other settings that are in force now" }),
  needsRestart: z.array(z.string()).meta({ description: "what was changed and holds only after a restart" }),
  orphaned: z
    .array(z.object({ project: z.string(), jobs: count }))
    .meta({ description: "removed projects whose jobs wait for them" }),
});

const auditCode = z.object({ code: z.string(), meaning: z.string() });
const auditRecord = z.object({
  number: z.int().min(1),
  at: time,
  event: z.string(),
  codes: z.object({ id: auditCode, type: auditCode.optional() }),
  actor: z.object({
    name: z.string(),
    kind: z.string(),
    role: z.string().optional(),
    projects: z.array(z.string()).optional(),
  }),
  outcome: z.string(),
  job: z.string().optional(),
  project: z.string().optional(),
  detail: detail.optional(),
  hash: z.string(),
});
export const auditPage = pageOf(auditRecord);

export const auditVerdict = z.object({
  ok: z.boolean(),
  records: count,
  head: z.string(),
  findings: z.array(z.object({ number: z.int(), problem: z.string(), where: z.string().optional() })),
});

export const token = z.object({
  id: z.string(),
  name: z.string(),
  role,
  projects: z.array(z.string()).nullable().meta({ description: "null: every project" }),
  state: z.enum(["good", "expired", "revoked"]),
  createdAt: time,
  expiresAt: time,
});
export const tokenList = z.object({ items: z.array(token) });
export const newToken = z.object({ ...token.shape, token: z.string().meta({ description: "shown this once" }) });

export const tokenWish = z.strictObject({
  name: z
    .string()
    .regex(/^[A-Za-z0-9][A-Za-z0-9._@-]{0,63}$/, "must be 1 to 64 letters, digits, dots, hyphens, underscores and @"),
  role,
  projects: z.array(z.string().min(1).max(64)).min(1).max(100).optional(),
  days: z.int().min(1).max(3_650).default(90),
});

/** Who one is, as the gateway sees it. */
export const me = z.object({
  name: z.string(),
  kind: z.string(),
  role,
  projects: z.array(z.string()).nullable(),
  expiresAt: time,
});
