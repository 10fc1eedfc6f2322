import { toGatewayError } from "../errors/gateway-error.ts";
import type { ErrorCode } from "../errors/registry.ts";

/** Sites' scripts rely on them: partial is what was done for some and not for all. */
export const EXIT = { fine: 0, failed: 1, usage: 2, partial: 3 } as const;
export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

/** Errors that say: what was asked for, or the configuration, is wrong. Every other error says: it failed. */
const USAGE_CODES: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  "ARCHIVE_UNKNOWN",
  "CERTIFICATE_FILE_MALFORMED",
  "CERTIFICATE_FILE_UNREADABLE",
  "CERTIFICATE_KEY_MALFORMED",
  "CERTIFICATE_KEY_MISMATCH",
  "COHORT_FILE_MISSING",
  "DEID_FOLDERS_OVERLAP",
  "DEID_TOO_MANY_FILES",
  "IDENTIFIED_VALUES_NEED_SITE",
  "INIT_ANSWERS_INVALID",
  "KEY_FILE_MALFORMED",
  "KEY_FILE_MISSING",
  "KEY_FILE_READABLE_BY_OTHERS",
  "LINKAGE_KEY_SHARED",
  "LOOKUP_TABLE_INVALID",
  "LOOKUP_TABLE_UNREADABLE",
  "NODE_FORGET_INVALID",
  "NOTIFICATION_CHANNEL_UNKNOWN",
  "NOTIFICATION_TEMPLATES_INVALID",
  "NOTIFICATION_TEMPLATES_UNREADABLE",
  "OPT_OUT_UNREADABLE",
  "PASSWORD_FILE_MALFORMED",
  "PIXL_OPERATIONS_INVALID",
  "PIXL_SECRET_MALFORMED",
  "PROFILE_FILE_MALFORMED",
  "PROFILE_FILE_UNREADABLE",
  "PROFILE_INVALID",
  "PROFILE_TAG_UNKNOWN",
  "PROFILE_UNKNOWN",
  "PROJECT_KEY_CHANGED",
  "PROJECT_KEY_SHARED",
  "PROJECT_UNKNOWN",
  "PSEUDONYM_SOURCE_MISSING",
  "QUERY_KEY_MALFORMED",
  "QUERY_KEY_UNKNOWN",
  "RELEASE_INVALID",
  "SEARCH_QUERY_INVALID",
  "SEARCH_TOO_BROAD",
  "SECRET_FILE_READABLE_BY_OTHERS",
  "SECRET_FILE_UNREADABLE",
  "SETTING_DUPLICATE",
  "SETTING_INVALID",
  "SETTING_MISSING",
  "SETTING_NOT_SUPPORTED",
  "SETTING_REFERENCE_UNKNOWN",
  "SETTING_UNKNOWN",
  "SETTINGS_FILE_MALFORMED",
  "SETTINGS_FILE_MISSING",
  "SETTINGS_INVALID",
  "STANDING_TIMETABLE_INVALID",
  "STORE_URL_INVALID",
  "USAGE_INVALID",
  "WITHDRAWAL_INVALID",
]);

export function exitCodeOf(thrown: unknown): ExitCode {
  return USAGE_CODES.has(toGatewayError(thrown).code) ? EXIT.usage : EXIT.failed;
}

/** Of work on several things: all went well, some did, or none. */
export function exitCodeOfCounts({ good, bad }: { readonly good: number; readonly bad: number }): ExitCode {
  if (bad === 0) return EXIT.fine;
  return good === 0 ? EXIT.failed : EXIT.partial;
}
