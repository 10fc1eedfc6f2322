import { z } from "zod";
import { SettingsError } from "../../config/problems.ts";
import type { Environment } from "../../config/settings-file.ts";
import { isAeTitle } from "../../dicom/ae-title.ts";
import { problemOf } from "../../units/file-problems.ts";
import { type Keyring, SHARED_KEY_ID } from "./envelope.ts";

/** What the face is set up with, by FLIP's own environment names; those that begin with RADFERRY are ours. */
export interface FlipSettings {
  readonly isProduction: boolean;
  readonly logLevel: "debug" | "info" | "warn" | "error";
  readonly xnat: {
    readonly url: string;
    readonly username: string;
    readonly password: string;
    /** Of the DICOM receiver. */
    readonly aeTitle: string;
    readonly port: number;
    /** Asked for when XNAT lists none. */
    readonly pacsId: number;
    readonly dcm2niixImage: string;
  };
  readonly dataAccessUrl: string;
  readonly imagesFolder: string;
  readonly keyring: Keyring;
  readonly serviceKey: { readonly header: string; readonly value: string };
  readonly mayReimport: boolean;
  /** Undefined: downloads are kept. */
  readonly retention: { readonly keepMs: number; readonly everyMs: number } | undefined;
  /** Which id the data-access API is told: that of the hub, or of the XNAT project as older ones want it. */
  readonly sealedProjectId: "hub" | "xnat";
  /** So long an import may say nothing before it counts as failed. */
  readonly staleMs: number;
  readonly pacsQueries: { readonly atOnce: number; readonly timeoutMs: number };
}

const HOUR_MS = 3_600_000;
const MINUTE_MS = 60_000;
const KEY_BYTES = 32;

/** Blank is absent, as in the original. */
const text = (usual: string) =>
  z
    .string()
    .optional()
    .transform((value) => (value === undefined || value.trim() === "" ? usual : value));
const needed = z.string("is needed").trim().min(1, "is needed");
const number = (usual: number, [low, high]: readonly [number, number]) =>
  text(`${usual}`)
    .transform((value) => (/^\d+(?:\.\d+)?$/.test(value.trim()) ? Number(value) : Number.NaN))
    .refine((value) => value >= low && value <= high, `must be a number from ${low} to ${high}`);
const flag = (usual: boolean) =>
  text(`${usual}`)
    .transform((value) => value.trim().toLowerCase())
    .refine((value) => /^(?:true|false|1|0|yes|no|on|off|t|f|y|n)$/.test(value), "must be true or false")
    .transform((value) => /^(?:true|1|yes|on|t|y)$/.test(value));
const url = (usual: string) =>
  text(usual).refine((value) => /^https?:$/.test(URL.parse(value)?.protocol ?? ""), "must be a URL with http or https");
const aesKey = z.string().transform((value) => Buffer.from(value.trim(), "base64"));
const aesKeyMessage = `must be ${KEY_BYTES} bytes in base64`;
const isAesKey = (key: Uint8Array): boolean => key.length === KEY_BYTES;
const isPort = (port: number): boolean => Number.isInteger(port) && port >= 1 && port <= 65_535;
const MANY = [0, 1_000_000] as const;

const AE_TITLE_MESSAGE = "must be an AE title: 1 to 16 ASCII characters without a backslash or a control character";

const environmentShape = z.object({
  ENV: text("development"),
  LOG_LEVEL: text("INFO"),
  XNAT_URL: url("http://xnat-web:8080"),
  XNAT_PORT: needed.transform(Number).refine(isPort, "must be a port, from 1 to 65535"),
  XNAT_AETITLE: text("XNAT").refine((value) => isAeTitle(value.trim()), AE_TITLE_MESSAGE),
  PACS_ID: number(1, MANY),
  XNAT_SERVICE_USER: needed,
  XNAT_SERVICE_PASSWORD: z.string("is needed").min(1, "is needed"),
  DATA_ACCESS_API_URL: url("http://data-access-api:8000"),
  BASE_IMAGES_DOWNLOAD_DIR: needed,
  AES_KEY_BASE64: needed.pipe(aesKey.refine(isAesKey, aesKeyMessage)),
  TRUST_AES_KID: text(""),
  TRUST_AES_KEY_BASE64: text("").pipe(aesKey.refine((key) => key.length === 0 || isAesKey(key), aesKeyMessage)),
  AES_TRUST_KEYS: text("{}").transform((value, context): ReadonlyMap<string, Uint8Array> => {
    const keys = z.record(z.string(), aesKey.refine(isAesKey)).safeParse(parseJson(value));
    if (keys.success) return new Map(Object.entries(keys.data));
    context.issues.push({
      code: "custom",
      message: "must be a JSON object of key ids and keys of 32 bytes",
      input: "",
    });
    return z.NEVER;
  }),
  TRUST_INTERNAL_SERVICE_KEY_HEADER: text("X-Trust-Internal-Service-Key"),
  TRUST_INTERNAL_SERVICE_KEY: text(""),
  REIMPORT_STUDIES_ENABLED: flag(true),
  DCM2NIIX_IMAGE: text("ghcr.io/londonaicentre/xnat-dcm2niix:v1.0.20260724"),
  IMAGE_CACHE_RETENTION_ENABLED: flag(true),
  IMAGE_CACHE_RETENTION_HOURS: number(168, MANY),
  IMAGE_CACHE_SWEEP_INTERVAL_MINUTES: number(60, [1, 100_000]),
  RADFERRY_FLIP_PROJECT_ID: text("hub").pipe(z.enum(["hub", "xnat"], "must be hub or xnat")),
  RADFERRY_FLIP_STALE_HOURS: number(24, [0.01, 10_000]),
  RADFERRY_FLIP_PACS_QUERIES: number(8, [1, 64]),
  RADFERRY_FLIP_PACS_QUERY_SECONDS: number(60, [0.05, 3_600]),
});

/** @throws SettingsError with every problem; none of them repeats a value */
export function readFlipSettings(environment: Environment): FlipSettings {
  const parsed = environmentShape.safeParse(environment);
  if (!parsed.success) {
    throw new SettingsError(
      parsed.error.issues.map(({ path, message }) =>
        problemOf({
          path: path.map(String).slice(0, 1),
          code: message === "is needed" ? "SETTING_MISSING" : "SETTING_INVALID",
          message: `It ${message}.`,
          remedy: "Set it in the environment, as for the original imaging-api.",
        }),
      ),
    );
  }
  return settingsOf(parsed.data);
}

function settingsOf(values: z.infer<typeof environmentShape>): FlipSettings {
  return {
    isProduction: values.ENV.toLowerCase() === "production",
    logLevel: logLevelOf(values.LOG_LEVEL),
    xnat: {
      url: values.XNAT_URL,
      username: values.XNAT_SERVICE_USER,
      password: values.XNAT_SERVICE_PASSWORD,
      aeTitle: values.XNAT_AETITLE,
      port: values.XNAT_PORT,
      pacsId: values.PACS_ID,
      dcm2niixImage: values.DCM2NIIX_IMAGE,
    },
    dataAccessUrl: values.DATA_ACCESS_API_URL,
    imagesFolder: values.BASE_IMAGES_DOWNLOAD_DIR,
    keyring: keyringOf(values),
    serviceKey: { header: values.TRUST_INTERNAL_SERVICE_KEY_HEADER, value: values.TRUST_INTERNAL_SERVICE_KEY },
    mayReimport: values.REIMPORT_STUDIES_ENABLED,
    retention: values.IMAGE_CACHE_RETENTION_ENABLED
      ? {
          keepMs: values.IMAGE_CACHE_RETENTION_HOURS * HOUR_MS,
          everyMs: values.IMAGE_CACHE_SWEEP_INTERVAL_MINUTES * MINUTE_MS,
        }
      : undefined,
    sealedProjectId: values.RADFERRY_FLIP_PROJECT_ID,
    staleMs: values.RADFERRY_FLIP_STALE_HOURS * HOUR_MS,
    pacsQueries: {
      atOnce: Math.floor(values.RADFERRY_FLIP_PACS_QUERIES),
      timeoutMs: values.RADFERRY_FLIP_PACS_QUERY_SECONDS * 1_000,
    },
  };
}

/** A trust's own key seals where it has one; the shared one goes on opening what was sealed with it. */
function keyringOf(values: z.infer<typeof environmentShape>): Keyring {
  const { AES_TRUST_KEYS, AES_KEY_BASE64, TRUST_AES_KID, TRUST_AES_KEY_BASE64 } = values;
  const hasOwn = TRUST_AES_KID !== "" && TRUST_AES_KEY_BASE64.length > 0;
  const keys = new Map<string, Uint8Array>([...AES_TRUST_KEYS, [SHARED_KEY_ID, AES_KEY_BASE64]]);
  if (hasOwn) keys.set(TRUST_AES_KID, TRUST_AES_KEY_BASE64);
  return { currentKeyId: hasOwn ? TRUST_AES_KID : SHARED_KEY_ID, keys };
}

const LOG_LEVELS: Readonly<Record<string, FlipSettings["logLevel"]>> = {
  DEBUG: "debug",
  INFO: "info",
  WARNING: "warn",
  WARN: "warn",
  ERROR: "error",
  CRITICAL: "error",
};

function logLevelOf(name: string): FlipSettings["logLevel"] {
  return LOG_LEVELS[name.trim().toUpperCase()] ?? "info";
}

function parseJson(value: string): unknown {
  try {
    const parsed: unknown = JSON.parse(value);
    return parsed;
  } catch {
    return undefined;
  }
}
