import { IANAZone } from "luxon";
import { z } from "zod";
import { parseWindow } from "../../archive/availability/window.ts";
import { SettingsError } from "../../config/problems.ts";
import type { Environment } from "../../config/settings-file.ts";
import { isAeTitle } from "../../dicom/ae-title.ts";
import { problemOf } from "../../units/file-problems.ts";
import type { DatabaseOptions } from "./database/connection.ts";
import type { BrokerOptions } from "./intake/broker.ts";

/** An archive as orthanc-raw knows it. */
export interface SourceSettings {
  /** Orthanc's name of it. */
  readonly modality: string;
  /** Only compared: a second archive of the same AE title is none. */
  readonly aeTitle: string;
}

export interface OrthancSettings {
  readonly url: string;
  readonly username: string;
  readonly password: string;
  readonly aeTitle: string;
}

/** How studies are handed to orthanc-anon: it is told to pull, or they are sent to it. */
export type Handover = "rest" | "c-store";

/** What the imaging API is set up with, by PIXL's own environment names; those that begin with RADFERRY are ours. */
export interface PixlSettings {
  readonly logLevel: "debug" | "info" | "warn" | "error";
  readonly broker: Pick<Required<BrokerOptions>, "host" | "port" | "username" | "password">;
  readonly database: DatabaseOptions;
  /** False: the database is left as it is at start. */
  readonly migrates: boolean;
  readonly primary: SourceSettings;
  readonly secondary: SourceSettings;
  readonly raw: OrthancSettings;
  readonly anon: OrthancSettings;
  /** False: studies end in orthanc-raw. */
  readonly handsOver: boolean;
  readonly handover: Handover;
  /** What orthanc-raw calls orthanc-anon, where studies are sent to it. */
  readonly anonModality: string;
  /** Of a request that Orthanc answers from what it knows. */
  readonly queryTimeoutMs: number;
  /** Of a retrieval or a hand-over by C-STORE as a whole, and of answers that Orthanc reads files for. */
  readonly transferTimeoutMs: number;
  /** Messages of each queue that are worked on or wait for another try. */
  readonly maximumInFlight: number;
  /** Of the wall clock; a name of the IANA database. Undefined: the machine's. */
  readonly timeZone: string | undefined;
  /** When the secondary archive may be asked. Undefined: PIXL's own hours. */
  readonly secondaryWindows: readonly string[] | undefined;
  /** Studies that one MRN and accession number may lead to. */
  readonly maximumStudies: number;
  /** True: the rate that was set last holds after a restart too. */
  readonly keepsRate: boolean;
  /** Of the token that others need to send messages by HTTP. Undefined: only this machine may. */
  readonly tokenFile: string | undefined;
}

const SECOND_MS = 1_000;

/** Blank is absent. */
const text = (usual: string) =>
  z
    .string()
    .optional()
    .transform((value) => (value === undefined || value.trim() === "" ? usual : value.trim()));
const needed = z.string("is needed").trim().min(1, "is needed");
const secret = z.string("is needed").min(1, "is needed");
const number = (usual: number, [low, high]: readonly [number, number]) =>
  text(`${usual}`)
    .transform((value) => (/^\d+(?:\.\d+)?$/.test(value) ? Number(value) : Number.NaN))
    .refine((value) => value >= low && value <= high, `must be a number from ${low} to ${high}`);
const whole = (usual: number | undefined, [low, high]: readonly [number, number]) =>
  (usual === undefined ? needed : text(`${usual}`))
    .transform((value) => (/^\d+$/.test(value) ? Number(value) : Number.NaN))
    .refine((value) => value >= low && value <= high, `must be a whole number from ${low} to ${high}`);
/** The words of python-decouple. */
const flag = (usual: boolean) =>
  text(`${usual}`)
    .transform((value) => value.toLowerCase())
    .refine((value) => /^(?:y|yes|t|true|on|1|n|no|f|false|off|0)$/.test(value), "must be true or false")
    .transform((value) => /^(?:y|yes|t|true|on|1)$/.test(value));
const url = needed.refine(
  (value) => /^https?:$/.test(URL.parse(value)?.protocol ?? "") && URL.parse(value)?.username === "",
  "must be a URL with http or https, without credentials",
);
const port = (usual: number) => whole(usual, [1, 65_535]);
const SECONDS = [0.05, 86_400] as const;

const AE_TITLE_MESSAGE = "must be an AE title: 1 to 16 ASCII characters without a backslash or a control character";

const environmentShape = z.object({
  LOG_LEVEL: text("INFO"),
  RABBITMQ_HOST: text("localhost"),
  RABBITMQ_PORT: port(5672),
  RABBITMQ_USERNAME: text("guest"),
  RABBITMQ_PASSWORD: text("guest"),
  PIXL_DB_HOST: text("localhost"),
  PIXL_DB_PORT: port(7001),
  PIXL_DB_NAME: text("pixl"),
  PIXL_DB_USER: text("pixl_db_username"),
  PIXL_DB_PASSWORD: text("pixl_db_password"),
  SKIP_ALEMBIC: text("false"),
  PRIMARY_DICOM_SOURCE_MODALITY: needed,
  PRIMARY_DICOM_SOURCE_AE_TITLE: needed,
  SECONDARY_DICOM_SOURCE_MODALITY: needed,
  SECONDARY_DICOM_SOURCE_AE_TITLE: text(""),
  ORTHANC_RAW_URL: url,
  ORTHANC_RAW_USERNAME: needed,
  ORTHANC_RAW_PASSWORD: secret,
  ORTHANC_RAW_AE_TITLE: needed.refine(isAeTitle, AE_TITLE_MESSAGE),
  ORTHANC_ANON_URL: url,
  ORTHANC_ANON_USERNAME: needed,
  ORTHANC_ANON_PASSWORD: secret,
  ORTHANC_ANON_AE_TITLE: needed.refine(isAeTitle, AE_TITLE_MESSAGE),
  ORTHANC_AUTOROUTE_RAW_TO_ANON: flag(false),
  PIXL_QUERY_TIMEOUT: number(10, SECONDS),
  PIXL_DICOM_TRANSFER_TIMEOUT: number(240, SECONDS),
  PIXL_MAX_MESSAGES_IN_FLIGHT: whole(undefined, [1, 1_000]),
  TZ: text("").refine((zone) => zone === "" || IANAZone.isValidZone(zone), "must be a time zone, as Europe/London"),
  RADFERRY_PIXL_HANDOVER: text("rest").pipe(z.enum(["rest", "c-store"], "must be rest or c-store")),
  RADFERRY_PIXL_ANON_MODALITY: text("PIXL-Anon"),
  RADFERRY_PIXL_SECONDARY_WINDOWS: text("")
    .transform((value) =>
      value
        .split(/[;,]/)
        .map((window) => window.trim())
        .filter((window) => window !== ""),
    )
    .refine(
      (windows) => windows.every((window) => parseWindow(window) !== undefined),
      "must be windows as Mon-Fri 20:00-08:00, separated by semicolons",
    ),
  RADFERRY_PIXL_MAXIMUM_STUDIES: whole(10, [1, 1_000]),
  RADFERRY_PIXL_KEEP_RATE: flag(false),
  RADFERRY_API_TOKEN_FILE: text(""),
});

/** Every name that is read, with what is taken where it is not set; undefined: it is needed. */
export function usualEnvironment(): ReadonlyMap<string, string | undefined> {
  return new Map(
    Object.entries(environmentShape.shape).map(([name, shape]) => {
      const { data } = shape.safeParse(undefined);
      return [name, data === undefined ? undefined : String(data)];
    }),
  );
}

/** @throws SettingsError with every problem; none of them repeats a value */
export function readPixlSettings(environment: Environment): PixlSettings {
  const parsed = environmentShape.safeParse(environment);
  if (parsed.success) return settingsOf(parsed.data);
  throw new SettingsError(
    parsed.error.issues.map(({ path, message }) =>
      problemOf({
        path: path.map(String).slice(0, 1),
        code: message === "is needed" ? "SETTING_MISSING" : "SETTING_INVALID",
        message: `It ${message}.`,
        remedy: "Set it in the environment, as for PIXL's own imaging API.",
      }),
    ),
  );
}

type Values = z.infer<typeof environmentShape>;

function settingsOf(values: Values): PixlSettings {
  const { PRIMARY_DICOM_SOURCE_AE_TITLE: primaryAeTitle } = values;
  return {
    logLevel: LOG_LEVELS[values.LOG_LEVEL.toUpperCase()] ?? "info",
    broker: {
      host: values.RABBITMQ_HOST,
      port: values.RABBITMQ_PORT,
      username: values.RABBITMQ_USERNAME,
      password: values.RABBITMQ_PASSWORD,
    },
    database: {
      host: values.PIXL_DB_HOST,
      port: values.PIXL_DB_PORT,
      database: values.PIXL_DB_NAME,
      user: values.PIXL_DB_USER,
      password: values.PIXL_DB_PASSWORD,
    },
    // PIXL's start script compares with this word alone.
    migrates: values.SKIP_ALEMBIC === "false",
    primary: { modality: values.PRIMARY_DICOM_SOURCE_MODALITY, aeTitle: primaryAeTitle },
    secondary: {
      modality: values.SECONDARY_DICOM_SOURCE_MODALITY,
      // As PIXL's compose file has it.
      aeTitle: values.SECONDARY_DICOM_SOURCE_AE_TITLE || primaryAeTitle,
    },
    raw: orthancOf(values, "RAW"),
    anon: orthancOf(values, "ANON"),
    handsOver: values.ORTHANC_AUTOROUTE_RAW_TO_ANON,
    handover: values.RADFERRY_PIXL_HANDOVER,
    anonModality: values.RADFERRY_PIXL_ANON_MODALITY,
    queryTimeoutMs: values.PIXL_QUERY_TIMEOUT * SECOND_MS,
    transferTimeoutMs: values.PIXL_DICOM_TRANSFER_TIMEOUT * SECOND_MS,
    maximumInFlight: values.PIXL_MAX_MESSAGES_IN_FLIGHT,
    timeZone: values.TZ === "" ? undefined : values.TZ,
    secondaryWindows:
      values.RADFERRY_PIXL_SECONDARY_WINDOWS.length === 0 ? undefined : values.RADFERRY_PIXL_SECONDARY_WINDOWS,
    maximumStudies: values.RADFERRY_PIXL_MAXIMUM_STUDIES,
    keepsRate: values.RADFERRY_PIXL_KEEP_RATE,
    tokenFile: values.RADFERRY_API_TOKEN_FILE === "" ? undefined : values.RADFERRY_API_TOKEN_FILE,
  };
}

function orthancOf(values: Values, which: "RAW" | "ANON"): OrthancSettings {
  return {
    url: values[`ORTHANC_${which}_URL`],
    username: values[`ORTHANC_${which}_USERNAME`],
    password: values[`ORTHANC_${which}_PASSWORD`],
    aeTitle: values[`ORTHANC_${which}_AE_TITLE`],
  };
}

const LOG_LEVELS: Readonly<Record<string, PixlSettings["logLevel"]>> = {
  TRACE: "debug",
  DEBUG: "debug",
  INFO: "info",
  SUCCESS: "info",
  WARNING: "warn",
  WARN: "warn",
  ERROR: "error",
  CRITICAL: "error",
};
