import { z } from "zod";
import { ROLES } from "../units/actor.ts";
import { archiveSettings } from "./manifest-archives.ts";
import { codecSettings } from "./manifest-codecs.ts";
import { compatSettings } from "./manifest-compat.ts";
import { destinationSettings } from "./manifest-destinations.ts";
import { dicomSettings } from "./manifest-dicom.ts";
import { intakeSettings } from "./manifest-intake.ts";
import { nodeSettings } from "./manifest-node.ts";
import { notificationSettings } from "./manifest-notifications.ts";
import { observeSettings } from "./manifest-observe.ts";
import { oidcSettings } from "./manifest-oidc.ts";
import { projectSettings } from "./manifest-projects.ts";
import { sharedStagingSettings } from "./manifest-staging.ts";
import { hostSetting, listenPortSetting, pathSetting, textSetting } from "./scalars.ts";

const storeSettings = z.discriminatedUnion("kind", [
  z.strictObject({
    kind: z
      .literal("sqlite")
      .meta({ description: "Kind of store; sqlite: an embedded database below home, postgres: a database server." }),
  }),
  z.strictObject({
    kind: z.literal("postgres"),
    urlFile: pathSetting.meta({
      description: "File that holds the URL of the database, user and password among it; only the owner may read it.",
    }),
    replicaUrlFile: pathSetting.optional().meta({
      description: "File that holds the URL of a replica, which then answers lists; left out: the database does.",
    }),
    authoritiesFile: pathSetting.optional().meta({
      description: "PEM file of who may have signed the database's certificate; left out: whom the system trusts.",
    }),
    connections: z
      .int()
      .min(2)
      .max(500)
      .default(10)
      .meta({ description: "Connections to the database at most, and one more that hears of new work." }),
    statementTimeoutSeconds: z
      .int()
      .min(1)
      .max(3_600)
      .default(30)
      .meta({ description: "Longest time for one statement, a wait for locks included." }),
  }),
]);

const httpSettings = z.strictObject({
  host: hostSetting
    .default("127.0.0.1")
    .meta({ description: "Address the API and the dashboard bind; whoever can reach it needs a token." }),
  port: listenPortSetting.optional().meta({
    description:
      "Port of the API and the dashboard; 0: any free one. Left out: 8080, or any free one while another program has that.",
  }),
  tls: z
    .strictObject({
      certificateFile: pathSetting.meta({
        description: "PEM file of the API's certificate, with the intermediate ones behind it.",
      }),
      keyFile: pathSetting.meta({ description: "PEM file of that certificate's key, readable by us alone." }),
    })
    .optional()
    .meta({ description: "HTTPS instead of HTTP. Left out: plain HTTP, for this machine or behind a proxy with TLS." }),
  oidc: oidcSettings
    .optional()
    .meta({ description: "Log-in by OpenID Connect for browsers. Left out: with a token alone." }),
});

const retrySettings = z.strictObject({
  attempts: z.int().min(1).max(10_000).default(60).meta({ description: "Tries of a study job before it fails." }),
  firstDelaySeconds: z
    .number()
    .positive()
    .max(86_400)
    .default(5)
    .meta({ description: "Wait after the first failed try; it doubles from try to try." }),
  maximumDelaySeconds: z
    .number()
    .positive()
    .max(86_400)
    .default(900)
    .meta({ description: "Longest wait between two tries." }),
});

const stagingSettings = z.strictObject({
  path: pathSetting
    .optional()
    .meta({ description: "Where identifiable studies lie on their way. Left out: the folder staging below home." }),
  reserveGigabytes: z
    .number()
    .min(0)
    .max(1_000_000)
    .default(20)
    .meta({ description: "Retrieval pauses while the disk has less room than this." }),
  keepDays: z
    .number()
    .min(0)
    .max(3_650)
    .default(3)
    .meta({ description: "Days a study stays in staging after it was last needed." }),
  shred: z.boolean().default(false).meta({
    description:
      "true: bytes of identifiable files are overwritten before they are removed. It helps on plain disks alone: see deploying.md.",
  }),
  shared: sharedStagingSettings.optional().meta({
    description:
      "De-identified copies that await delivery, where other gateways find them. Left out: on our disk alone.",
  }),
});

const imagingSourceSettings = z.strictObject({
  host: hostSetting.default("127.0.0.1").meta({
    description:
      "Address it binds. Whoever reaches it reads identifiable studies: leave it on this machine, or put a proxy with a login before it.",
  }),
  port: listenPortSetting.meta({ description: "Port it listens at; 0: any free one." }),
  repositoryUniqueId: textSetting
    .optional()
    .meta({ description: "OID that requests must name; left out: any will do." }),
  profile: z
    .enum(["ihe", "cxf", "vitrea", "axis2"])
    .default("ihe")
    .meta({ description: "Whose way of writing answers it keeps to." }),
  lenient: z.boolean().default(false).meta({
    description:
      "true: requests that break the standard, as dicomtrolley's do, are answered as well as they can be understood.",
  }),
});

const accessSettings = z.strictObject({
  commandLineRole: z.enum(ROLES).default("admin").meta({
    description: "What users of the command line on this home may do: viewer, operator or admin.",
  }),
});

/**
 * Every setting, with its type, limits, default and meaning. Validation, the JSON schema, the sample file, the environment's names and
 * the settings page all come from here.
 */
export const manifest = z.strictObject({
  home: pathSetting
    .default("/var/lib/radferry")
    .meta({ description: "Folder of the store, staging and reports. It holds identifiable data." }),
  store: storeSettings.prefault({ kind: "sqlite" }).meta({ description: "Where jobs and their ledger are kept." }),
  node: nodeSettings.prefault({}).meta({ description: "This gateway among those that share its database." }),
  dicom: dicomSettings.prefault({}).meta({ description: "Our DICOM listener." }),
  http: httpSettings.prefault({}).meta({ description: "Our API and dashboard." }),
  imagingSource: imagingSourceSettings
    .optional()
    .meta({ description: "Gives staged studies away by IHE RAD-69, while the service runs. Left out: it does not." }),
  compat: compatSettings
    .prefault({})
    .meta({ description: "Faces of other systems that the service shows besides its own; left out: none." }),
  access: accessSettings.prefault({}).meta({ description: "Who may do what." }),
  retry: retrySettings.prefault({}).meta({ description: "When a study job is tried again." }),
  observe: observeSettings.prefault({}).meta({ description: "What others are told of how work goes on." }),
  staging: stagingSettings.prefault({}).meta({ description: "The identifiable cache on local disk." }),
  intake: intakeSettings
    .optional()
    .meta({ description: "Takes in what is sent to our listener unasked. Left out: it is refused." }),
  archives: z
    .array(archiveSettings)
    .max(100)
    .default([])
    .meta({ description: "Systems that studies are pulled from." }),
  destinations: z
    .array(destinationSettings)
    .max(100)
    .default([])
    .meta({ description: "Systems that de-identified studies are delivered to." }),
  codecs: z
    .array(codecSettings)
    .max(100)
    .default([])
    .meta({ description: "Programs that decode compressed images where a pixel mask needs it." }),
  notifications: z
    .array(notificationSettings)
    .max(100)
    .default([])
    .meta({ description: "Channels over which people and programs are told what happens; left out: nobody is." }),
  projects: z.array(projectSettings).max(1_000).default([]).meta({ description: "Research projects." }),
});

export type Manifest = z.output<typeof manifest>;
