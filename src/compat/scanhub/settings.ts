import { z } from "zod";
import { type AcquisitionPolicy, USUAL_POLICY } from "../../acquisition/policy.ts";
import { SettingsError } from "../../config/problems.ts";
import type { Environment } from "../../config/settings-file.ts";
import { problemOf } from "../../units/file-problems.ts";
import type { ApiGeneration } from "./models.ts";

/** What the face is set up with; DATA_LAKE_DIRECTORY is ScanHub's own name, the others are ours. */
export interface ScanHubSettings {
  /** The folder that all services of the site see under this same path. */
  readonly lake: string;
  readonly logLevel: "debug" | "info" | "warn" | "error";
  readonly generation: ApiGeneration;
  /** As the original where this gateway is otherwise kinder: a PUT resets what it omits, and the user's own token goes to devices. */
  readonly isStrict: boolean;
  /** A chunk of a file may be so long in coming. */
  readonly idleMs: number;
  readonly policy: AcquisitionPolicy;
  readonly tls: { readonly certificateFile: string; readonly keyFile: string } | undefined;
}

const text = (usual: string) =>
  z
    .string()
    .optional()
    .transform((value) => (value === undefined || value.trim() === "" ? usual : value.trim()));
const seconds = (usualMs: number) =>
  text(String(usualMs / 1_000))
    .transform(Number)
    .refine((value) => value > 0 && value <= 86_400, "must be a number of seconds up to 86400")
    .transform((value) => value * 1_000);
const gigabytes = (usualBytes: number) =>
  text(String(usualBytes / 1e9))
    .transform(Number)
    .refine((value) => value >= 0 && value <= 1e6, "must be a number of gigabytes")
    .transform((value) => value * 1e9);
const optional = (unit: number, most: number, what: string) =>
  z
    .string()
    .optional()
    .transform((value) => (value === undefined || value.trim() === "" ? undefined : Number(value)))
    .refine((value) => value === undefined || (value > 0 && value <= most), `must be a number of ${what}, or nothing`)
    .transform((value) => (value === undefined ? undefined : value * unit));
const oneOf = <T extends string>(usual: T, ...values: readonly T[]) =>
  text(usual).refine((value): value is T => values.some((each) => each === value), `must be ${values.join(" or ")}`);

const environment = z
  .object({
    DATA_LAKE_DIRECTORY: text("/data"),
    LOG_LEVEL: text("info")
      .transform((value) => value.toLowerCase().replace("warning", "warn"))
      .refine((value) => /^(?:debug|info|warn|error)$/.test(value), "must be debug, info, warning or error"),
    RADFERRY_SCANHUB_API: oneOf("v2", "v1", "v2"),
    RADFERRY_SCANHUB_STRICT: oneOf("false", "true", "false"),
    RADFERRY_SCAN_IDLE_SECONDS: seconds(60_000),
    RADFERRY_SCAN_START_SECONDS: seconds(USUAL_POLICY.startTimeoutMs),
    RADFERRY_SCAN_GRACE_SECONDS: seconds(USUAL_POLICY.disconnectGraceMs),
    RADFERRY_SCAN_QUIET_SECONDS: seconds(USUAL_POLICY.quietPeriodMs),
    RADFERRY_SCAN_WITHOUT_DATA: oneOf("error", "error", "finished"),
    RADFERRY_SCAN_MAXIMUM_FILE_GIGABYTES: gigabytes(USUAL_POLICY.maximumFileBytes),
    RADFERRY_SCAN_DEVICE_GIGABYTES: optional(1e9, 1e6, "gigabytes"),
    RADFERRY_SCAN_KEEP_DAYS: optional(86_400_000, 36_500, "days"),
    RADFERRY_SCAN_RESERVE_GIGABYTES: gigabytes(USUAL_POLICY.reserveBytes),
    RADFERRY_TLS_CERTIFICATE_FILE: text(""),
    RADFERRY_TLS_KEY_FILE: text(""),
  })
  // One without the other was meant to be HTTPS: tokens must not go over plain HTTP for a forgotten name.
  .superRefine(({ RADFERRY_TLS_CERTIFICATE_FILE: certificateFile, RADFERRY_TLS_KEY_FILE: keyFile }, context) => {
    if ((certificateFile === "") === (keyFile === "")) return;
    const path = [certificateFile === "" ? "RADFERRY_TLS_CERTIFICATE_FILE" : "RADFERRY_TLS_KEY_FILE"];
    context.addIssue({ code: "custom", path, message: "is missing beside the other file of TLS" });
  });

/** @throws SettingsError with every problem */
export function readScanHubSettings(given: Environment): ScanHubSettings {
  const result = environment.safeParse(given);
  if (!result.success) {
    throw new SettingsError(
      result.error.issues.map(({ path, message }) =>
        problemOf({
          path: path.map(String),
          code: "SETTING_INVALID",
          message: `${path.join(".")} ${message}.`,
          remedy: "Correct it in the environment.",
        }),
      ),
    );
  }
  const { data } = result;
  const { RADFERRY_TLS_CERTIFICATE_FILE: certificateFile, RADFERRY_TLS_KEY_FILE: keyFile } = data;
  return {
    lake: data.DATA_LAKE_DIRECTORY,
    logLevel: data.LOG_LEVEL as ScanHubSettings["logLevel"],
    generation: data.RADFERRY_SCANHUB_API,
    isStrict: data.RADFERRY_SCANHUB_STRICT === "true",
    idleMs: data.RADFERRY_SCAN_IDLE_SECONDS,
    policy: {
      ...USUAL_POLICY,
      startTimeoutMs: data.RADFERRY_SCAN_START_SECONDS,
      disconnectGraceMs: data.RADFERRY_SCAN_GRACE_SECONDS,
      quietPeriodMs: data.RADFERRY_SCAN_QUIET_SECONDS,
      finishWithoutData: data.RADFERRY_SCAN_WITHOUT_DATA,
      maximumFileBytes: data.RADFERRY_SCAN_MAXIMUM_FILE_GIGABYTES,
      maximumDeviceBytes: data.RADFERRY_SCAN_DEVICE_GIGABYTES,
      retentionMs: data.RADFERRY_SCAN_KEEP_DAYS,
      reserveBytes: data.RADFERRY_SCAN_RESERVE_GIGABYTES,
    },
    tls: certificateFile === "" || keyFile === "" ? undefined : { certificateFile, keyFile },
  };
}
