import { expect, it } from "vitest";
import { GatewayError } from "../errors/gateway-error.ts";
import type { ErrorCode } from "../errors/registry.ts";
import { exitCodeOf } from "./exit-codes.ts";

it.each<ErrorCode>([
  "ARCHIVE_UNKNOWN",
  "LINKAGE_KEY_SHARED",
  "NODE_FORGET_INVALID",
  "NOTIFICATION_CHANNEL_UNKNOWN",
  "NOTIFICATION_TEMPLATES_INVALID",
  "PROJECT_KEY_SHARED",
  "RELEASE_INVALID",
  "SETTINGS_INVALID",
  "STORE_URL_INVALID",
  "USAGE_INVALID",
  "WITHDRAWAL_INVALID",
])("answers 2 to %s, which another try does not mend: nothing starts the service anew then", (code) => {
  expect(exitCodeOf(new GatewayError(code))).toBe(2);
});

it.each<ErrorCode>(["HOME_IN_USE", "STORE_UNAVAILABLE", "JOB_NOT_FOUND"])("answers 1 to %s", (code) => {
  expect(exitCodeOf(new GatewayError(code))).toBe(1);
});
