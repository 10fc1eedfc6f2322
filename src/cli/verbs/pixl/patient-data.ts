import { resolve } from "node:path";
import { openDatabase } from "../../../compat/pixl/database/connection.ts";
import { exportPatientData } from "../../../compat/pixl/driver/export-patient-data.ts";
import { readExtract } from "../../../compat/pixl/driver/extract.ts";
import { readDriverSettings } from "../../../compat/pixl/driver/settings.ts";
import { GatewayError } from "../../../errors/gateway-error.ts";
import type { Cli } from "../../cli.ts";
import { EXIT, type ExitCode } from "../../exit-codes.ts";

export interface PatientDataOptions {
  /** Seconds. */
  readonly timeout: number;
}

export async function exportPatientDataVerb(
  cli: Cli,
  path: string,
  { timeout }: PatientDataOptions,
): Promise<ExitCode> {
  const { world, printer } = cli;
  const { environment, workingFolder, stop: signal } = world;
  const { database: options, exportRoot: root, exportApiUrl } = await readDriverSettings(environment, workingFolder);
  if (root === undefined) {
    throw new GatewayError("USAGE_INVALID", { problem: "HOST_EXPORT_ROOT_DIR must say where exports lie" });
  }
  const extract = await readExtract(resolve(workingFolder, path));
  await using database = await openDatabase(options);
  const timeoutMs = timeout * 1_000;
  const report = await exportPatientData(extract, { database, root, exportApiUrl, timeoutMs, signal });
  await printer.document(report, () => [`${report.linked} exported studies linked in ${report.file}`]);
  return EXIT.fine;
}
