import { resolve } from "node:path";
import { z } from "zod";
import { SettingsError } from "../../../config/problems.ts";
import type { Environment } from "../../../config/settings-file.ts";
import { problemOf } from "../../../units/file-problems.ts";
import type { DatabaseOptions } from "../database/connection.ts";
import { environmentIn } from "../environment.ts";
import type { BrokerOptions } from "../intake/broker.ts";

/** What the driver is set up with, by the names that PIXL's own command line reads. */
export interface DriverSettings {
  readonly broker: Pick<Required<BrokerOptions>, "host" | "port" | "username" | "password">;
  /** Where `radferry pixl populate` writes down what was asked for. */
  readonly database: DatabaseOptions;
  /** Where the imaging API's own migrations go. */
  readonly migrations: DatabaseOptions;
  readonly imagingApiUrl: string;
  readonly exportApiUrl: string;
  /** Messages a second, where a command names none. */
  readonly rate: number;
  /** Where what is exported lies, a folder for each project; undefined: not set. */
  readonly exportRoot: string | undefined;
  /** How long after the queues are empty the exports are counted. */
  readonly retryAfterMs: number;
}

/** Blank is absent. */
const text = (usual: string) =>
  z
    .string()
    .optional()
    .transform((value) => (value === undefined || value.trim() === "" ? usual : value.trim()));
const port = (usual: number) =>
  text(`${usual}`)
    .transform(Number)
    .refine((value) => Number.isInteger(value) && value >= 1 && value <= 65_535, "must be a port, from 1 to 65535");
const number = (usual: number) =>
  text(`${usual}`)
    .transform(Number)
    .refine((value) => value >= 0 && value <= 1_000_000, "must be a number from 0 to 1000000");

const USUAL_RETRY_SECONDS = 300;

const environmentShape = z.object({
  RABBITMQ_HOST: text("localhost"),
  RABBITMQ_PORT: port(5672),
  RABBITMQ_USERNAME: text("guest"),
  RABBITMQ_PASSWORD: text("guest"),
  CLI_PIXL_DB_HOST: text("localhost"),
  CLI_PIXL_DB_PORT: port(7001),
  PIXL_DB_HOST: text("localhost"),
  PIXL_DB_PORT: port(7001),
  PIXL_DB_NAME: text("pixl"),
  PIXL_DB_USER: text("pixl_db_username"),
  PIXL_DB_PASSWORD: text("pixl_db_password"),
  PIXL_IMAGING_API_HOST: text("localhost"),
  PIXL_IMAGING_API_PORT: port(7007),
  PIXL_IMAGING_API_RATE: number(1),
  PIXL_EXPORT_API_HOST: text("localhost"),
  PIXL_EXPORT_API_PORT: port(7006),
  PIXL_ROOT: text(""),
  HOST_EXPORT_ROOT_DIR: text(""),
  PIXL_DICOM_TRANSFER_TIMEOUT: number(USUAL_RETRY_SECONDS),
  CLI_RETRY_SECONDS: text("").refine((value) => value === "" || Number(value) >= 0, "must be a number from 0"),
});

/**
 * Settings of the environment, else of the file `.env` in the folder, as PIXL's command line reads them.
 * @throws SettingsError with every problem; none of them repeats a value
 */
export async function readDriverSettings(environment: Environment, folder: string): Promise<DriverSettings> {
  const parsed = environmentShape.safeParse(await environmentIn(folder, environment));
  if (!parsed.success) throw settingsError(parsed.error);
  const values = parsed.data;
  const retrySeconds =
    values.CLI_RETRY_SECONDS === "" ? values.PIXL_DICOM_TRANSFER_TIMEOUT : Number(values.CLI_RETRY_SECONDS);
  const database = {
    database: values.PIXL_DB_NAME,
    user: values.PIXL_DB_USER,
    password: values.PIXL_DB_PASSWORD,
  };
  return {
    broker: {
      host: values.RABBITMQ_HOST,
      port: values.RABBITMQ_PORT,
      username: values.RABBITMQ_USERNAME,
      password: values.RABBITMQ_PASSWORD,
    },
    database: { ...database, host: values.CLI_PIXL_DB_HOST, port: values.CLI_PIXL_DB_PORT },
    migrations: { ...database, host: values.PIXL_DB_HOST, port: values.PIXL_DB_PORT },
    imagingApiUrl: `http://${values.PIXL_IMAGING_API_HOST}:${values.PIXL_IMAGING_API_PORT}`,
    exportApiUrl: `http://${values.PIXL_EXPORT_API_HOST}:${values.PIXL_EXPORT_API_PORT}`,
    rate: values.PIXL_IMAGING_API_RATE,
    exportRoot: exportRootOf(values, folder),
    retryAfterMs: retrySeconds * 1_000,
  };
}

/** Without it, where an installation of PIXL has it. */
function exportRootOf(values: z.output<typeof environmentShape>, folder: string): string | undefined {
  if (values.HOST_EXPORT_ROOT_DIR !== "") return resolve(folder, values.HOST_EXPORT_ROOT_DIR);
  return values.PIXL_ROOT === "" ? undefined : resolve(folder, values.PIXL_ROOT, "projects", "exports");
}

function settingsError({ issues }: z.ZodError): SettingsError {
  return new SettingsError(
    issues.map(({ path, message }) =>
      problemOf({
        path: path.map(String).slice(0, 1),
        code: "SETTING_INVALID",
        message: `${String(path[0])} ${message}.`,
        remedy: "Set it in the environment or in .env, as for PIXL's command line.",
      }),
    ),
  );
}
