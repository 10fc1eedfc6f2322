import { describe, expect, it } from "vitest";
import { SettingsError } from "../../config/problems.ts";
import { readFlipSettings } from "./settings.ts";

const KEY = Buffer.alloc(32, 1).toString("base64");
const NEEDED = {
  XNAT_PORT: "8104",
  XNAT_SERVICE_USER: "service",
  XNAT_SERVICE_PASSWORD: " pass word ",
  BASE_IMAGES_DOWNLOAD_DIR: "/app/data/images",
  AES_KEY_BASE64: KEY,
};

/** Names of what is wrong. */
function problems(environment: Readonly<Record<string, string>>): string[] {
  try {
    readFlipSettings(environment);
    return [];
  } catch (thrown) {
    if (thrown instanceof SettingsError) return thrown.problems.map(({ path }) => path);
    throw thrown;
  }
}

describe("FLIP's environment", () => {
  it("has the original's defaults; what is blank is absent", () => {
    const settings = readFlipSettings({ ...NEEDED, ENV: "", XNAT_AETITLE: " ", PACS_ID: "" });
    expect(settings).toMatchObject({
      isProduction: false,
      logLevel: "info",
      dataAccessUrl: "http://data-access-api:8000",
      imagesFolder: "/app/data/images",
      serviceKey: { header: "X-Trust-Internal-Service-Key", value: "" },
      mayReimport: true,
      retention: { keepMs: 7 * 86_400_000, everyMs: 3_600_000 },
      sealedProjectId: "hub",
      xnat: { url: "http://xnat-web:8080", password: " pass word ", aeTitle: "XNAT", port: 8104, pacsId: 1 },
    });
    expect(settings.xnat.dcm2niixImage).toBe("ghcr.io/londonaicentre/xnat-dcm2niix:v1.0.20260724");
    expect([...settings.keyring.keys.keys()]).toEqual(["shared"]);
  });

  it("names everything that is missing or wrong, at once", () => {
    expect(problems({}).sort()).toEqual(Object.keys(NEEDED).sort());
    const wrong = {
      XNAT_PORT: "http",
      XNAT_URL: "xnat",
      XNAT_AETITLE: "XN\\AT",
      PACS_ID: "one",
      AES_KEY_BASE64: "c2hvcnQ=",
      AES_TRUST_KEYS: "[1]",
    };
    expect(problems({ ...NEEDED, ...wrong, REIMPORT_STUDIES_ENABLED: "maybe" }).sort()).toEqual(
      [...Object.keys(wrong), "REIMPORT_STUDIES_ENABLED"].sort(),
    );
    expect(problems({ ...NEEDED, TRUST_AES_KEY_BASE64: "c2hvcnQ=" })).toEqual(["TRUST_AES_KEY_BASE64"]);
  });

  it("rotates keys by their ids", () => {
    const other = Buffer.alloc(32, 2).toString("base64");
    const rotated = {
      TRUST_AES_KID: "trust-1",
      TRUST_AES_KEY_BASE64: other,
      AES_TRUST_KEYS: JSON.stringify({ old: other }),
    };
    const { keyring } = readFlipSettings({ ...NEEDED, ...rotated });
    expect(keyring.currentKeyId).toBe("trust-1");
    expect([...keyring.keys.keys()].sort()).toEqual(["old", "shared", "trust-1"]);
  });

  it("knows Python's words", () => {
    const words = {
      ENV: "Production",
      LOG_LEVEL: "WARNING",
      REIMPORT_STUDIES_ENABLED: "False",
    };
    expect(readFlipSettings({ ...NEEDED, ...words, IMAGE_CACHE_RETENTION_HOURS: "2" })).toMatchObject({
      isProduction: true,
      logLevel: "warn",
      mayReimport: false,
      retention: { keepMs: 7_200_000, everyMs: 3_600_000 },
    });
    expect(readFlipSettings({ ...NEEDED, IMAGE_CACHE_RETENTION_ENABLED: "False" }).retention).toBeUndefined();
  });
});
