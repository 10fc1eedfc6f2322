import { expect, it } from "vitest";
import { manifest } from "./manifest.ts";
import { resolveSettings } from "./settings.ts";
import { settingsInForce } from "./settings-in-force.ts";

it("shows what the gateway runs with, defaults too, and none of the secrets", () => {
  const values = manifest.parse({
    archives: [
      {
        name: "web",
        kind: "dicomweb",
        url: "https://pacs.example.org/dicom-web",
        tokenFile: "token",
      },
    ],
  });
  const settings = resolveSettings(values, "/etc/radferry");
  // The check refuses users in URLs; what is shown does not lean on it.
  const url = "https://sam:sesame@pacs.example.org/dicom-web?key=4711";
  const shown = settingsInForce({ ...settings, archives: settings.archives.map((each) => ({ ...each, url })) });
  expect(shown).toMatchObject({
    home: "/var/lib/radferry",
    archives: [{ url: "https://***:***@pacs.example.org/dicom-web?***", tokenFile: "/etc/radferry/token" }],
  });
  expect(JSON.stringify(shown)).not.toMatch(/sesame|4711/);
});
