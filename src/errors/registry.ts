import { accessCodes } from "./codes/access.ts";
import { apiCodes } from "./codes/api.ts";
import { cohortsCodes } from "./codes/cohorts.ts";
import { commandLineCodes } from "./codes/command-line.ts";
import { credentialsCodes } from "./codes/credentials.ts";
import { deidentificationCodes } from "./codes/deidentification.ts";
import { deliveryCodes } from "./codes/delivery.ts";
import { dicomCodes } from "./codes/dicom.ts";
import { dimseCodes } from "./codes/dimse.ts";
import { flipCodes } from "./codes/flip.ts";
import { ftpsCodes } from "./codes/ftps.ts";
import { hookCodes } from "./codes/hooks.ts";
import { httpCodes } from "./codes/http.ts";
import { iheCodes } from "./codes/ihe.ts";
import { intakeCodes } from "./codes/intake.ts";
import { jobsCodes } from "./codes/jobs.ts";
import { linkageCodes } from "./codes/linkage.ts";
import { mediaCodes } from "./codes/media.ts";
import { notificationsCodes } from "./codes/notifications.ts";
import { oidcCodes } from "./codes/oidc.ts";
import { orthancCodes } from "./codes/orthanc.ts";
import { pixlCodes } from "./codes/pixl.ts";
import { profilesCodes } from "./codes/profiles.ts";
import { s3Codes } from "./codes/s3.ts";
import { scanhubCodes } from "./codes/scanhub.ts";
import { scannerCodes } from "./codes/scanner.ts";
import { settingsCodes } from "./codes/settings.ts";
import { sftpCodes } from "./codes/sftp.ts";
import { stagingCodes } from "./codes/staging.ts";
import { storeCodes } from "./codes/store.ts";
import { tlsCodes } from "./codes/tls.ts";
import { xnatCodes } from "./codes/xnat.ts";
import type { ErrorEntry } from "./error-class.ts";

/** Every code the gateway can report, by subject. `docs/errors.md` is generated from this table. */
export const errorRegistry = {
  ...dimseCodes,
  ...tlsCodes,
  ...credentialsCodes,
  ...deidentificationCodes,
  ...linkageCodes,
  ...profilesCodes,
  ...dicomCodes,
  ...httpCodes,
  ...flipCodes,
  ...iheCodes,
  ...pixlCodes,
  ...jobsCodes,
  ...mediaCodes,
  ...scannerCodes,
  ...storeCodes,
  ...commandLineCodes,
  ...settingsCodes,
  ...cohortsCodes,
  ...stagingCodes,
  ...hookCodes,
  ...deliveryCodes,
  ...ftpsCodes,
  ...sftpCodes,
  ...s3Codes,
  ...xnatCodes,
  ...orthancCodes,
  ...scanhubCodes,
  ...accessCodes,
  ...apiCodes,
  ...oidcCodes,
  ...notificationsCodes,
  ...intakeCodes,
} as const satisfies Record<string, ErrorEntry>;

export type ErrorCode = keyof typeof errorRegistry;

export function isErrorCode(text: string): text is ErrorCode {
  return Object.hasOwn(errorRegistry, text);
}
