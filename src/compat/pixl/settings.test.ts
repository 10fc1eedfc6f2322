import { expect, it } from "vitest";
import { readPixlSettings } from "./settings.ts";

/** What an imaging API cannot do without, as PIXL's sample has it. */
const ENVIRONMENT = {
  PRIMARY_DICOM_SOURCE_MODALITY: "UCPRIMARYQR",
  PRIMARY_DICOM_SOURCE_AE_TITLE: "PRIMARYQR",
  SECONDARY_DICOM_SOURCE_MODALITY: "UCSECONDARYQR",
  SECONDARY_DICOM_SOURCE_AE_TITLE: "SECONDARYQR",
  ORTHANC_RAW_URL: "http://orthanc-raw:8042",
  ORTHANC_RAW_USERNAME: "orthanc_raw_username",
  ORTHANC_RAW_PASSWORD: "orthanc_raw_password",
  ORTHANC_RAW_AE_TITLE: "ORTHANCRAW",
  ORTHANC_ANON_URL: "http://orthanc-anon:8042",
  ORTHANC_ANON_USERNAME: "orthanc_anon_username",
  ORTHANC_ANON_PASSWORD: "orthanc_anon_password",
  ORTHANC_ANON_AE_TITLE: "ORTHANCANON",
  PIXL_MAX_MESSAGES_IN_FLIGHT: "5",
};

it("takes what PIXL takes where the environment says nothing", () => {
  expect(readPixlSettings(ENVIRONMENT)).toEqual({
    logLevel: "info",
    broker: { host: "localhost", port: 5672, username: "guest", password: "guest" },
    database: {
      host: "localhost",
      port: 7001,
      database: "pixl",
      user: "pixl_db_username",
      password: "pixl_db_password",
    },
    migrates: true,
    primary: { modality: "UCPRIMARYQR", aeTitle: "PRIMARYQR" },
    secondary: { modality: "UCSECONDARYQR", aeTitle: "SECONDARYQR" },
    raw: {
      url: "http://orthanc-raw:8042",
      username: "orthanc_raw_username",
      password: "orthanc_raw_password",
      aeTitle: "ORTHANCRAW",
    },
    anon: {
      url: "http://orthanc-anon:8042",
      username: "orthanc_anon_username",
      password: "orthanc_anon_password",
      aeTitle: "ORTHANCANON",
    },
    handsOver: false,
    handover: "rest",
    anonModality: "PIXL-Anon",
    queryTimeoutMs: 10_000,
    transferTimeoutMs: 240_000,
    maximumInFlight: 5,
    timeZone: undefined,
    secondaryWindows: undefined,
    maximumStudies: 10,
    keepsRate: false,
    tokenFile: undefined,
  });
});

it("takes the primary's AE title for the secondary's that is not set, as PIXL's compose file does", () => {
  const settings = readPixlSettings({ ...ENVIRONMENT, SECONDARY_DICOM_SOURCE_AE_TITLE: "" });
  expect(settings.secondary.aeTitle).toBe("PRIMARYQR");
});

it.each([
  ["true", true],
  ["Yes", true],
  ["on", true],
  ["1", true],
  ["FALSE", false],
  ["off", false],
  ["", false],
])("reads the flag %j as python-decouple does", (word, meaning) => {
  expect(readPixlSettings({ ...ENVIRONMENT, ORTHANC_AUTOROUTE_RAW_TO_ANON: word }).handsOver).toBe(meaning);
});

it.each([
  ["false", true],
  ["true", false],
  ["False", false],
])("migrates with SKIP_ALEMBIC=%s: %s", (word, migrates) => {
  expect(readPixlSettings({ ...ENVIRONMENT, SKIP_ALEMBIC: word }).migrates).toBe(migrates);
});

it("reads windows of the secondary archive", () => {
  const windows = "Mon-Fri 18:00-07:00; Sat-Sun 00:00-24:00";
  expect(readPixlSettings({ ...ENVIRONMENT, RADFERRY_PIXL_SECONDARY_WINDOWS: windows }).secondaryWindows).toEqual([
    "Mon-Fri 18:00-07:00",
    "Sat-Sun 00:00-24:00",
  ]);
});

it("names every variable that is wrong, and no value", () => {
  const wrong = {
    ...ENVIRONMENT,
    ORTHANC_RAW_URL: "http://secret:word@raw",
    PIXL_MAX_MESSAGES_IN_FLIGHT: "",
    ORTHANC_AUTOROUTE_RAW_TO_ANON: "maybe",
    TZ: "Europe/Nowhere",
    RADFERRY_PIXL_HANDOVER: "fax",
    RADFERRY_PIXL_SECONDARY_WINDOWS: "always",
  };
  const reading = (): unknown => readPixlSettings(wrong);
  expect(reading).toThrow(
    expect.objectContaining({
      problems: [
        expect.objectContaining({ path: "ORTHANC_RAW_URL", code: "SETTING_INVALID" }),
        expect.objectContaining({ path: "ORTHANC_AUTOROUTE_RAW_TO_ANON", code: "SETTING_INVALID" }),
        expect.objectContaining({ path: "PIXL_MAX_MESSAGES_IN_FLIGHT", code: "SETTING_MISSING" }),
        expect.objectContaining({ path: "TZ", code: "SETTING_INVALID" }),
        expect.objectContaining({ path: "RADFERRY_PIXL_HANDOVER", code: "SETTING_INVALID" }),
        expect.objectContaining({ path: "RADFERRY_PIXL_SECONDARY_WINDOWS", code: "SETTING_INVALID" }),
      ],
    }),
  );
  expect(reading).not.toThrow(/secret|maybe|Nowhere/);
});

it.each(["RAW\\X", "RAW\nX", "SEVENTEEN-LETTERS"])(
  "refuses the AE title %j, to which no archive sends anything",
  (title) => {
    expect(() => readPixlSettings({ ...ENVIRONMENT, ORTHANC_RAW_AE_TITLE: title })).toThrow(
      expect.objectContaining({ problems: [expect.objectContaining({ path: "ORTHANC_RAW_AE_TITLE" })] }),
    );
  },
);
