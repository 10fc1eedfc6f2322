import type { ErrorEntry } from "../error-class.ts";

/** Codes of settings, sorted. */
export const settingsCodes = {
  SETTINGS_FILE_MALFORMED: {
    class: "permanent",
    summary: "The settings file is not valid YAML.",
    remedy: "Correct the line that the details name: look at its indentation, colons and quotes.",
  },
  SETTINGS_FILE_MISSING: {
    class: "permanent",
    summary: "The settings file cannot be read.",
    remedy:
      "Name it with -c FILE or RADFERRY_CONFIG; `radferry init` makes one, `radferry config sample` prints one with every setting.",
  },
  SETTINGS_INVALID: {
    class: "permanent",
    summary: "The settings have problems.",
    remedy: "Run `radferry config check` and correct what it lists.",
  },
  SETTINGS_RELOAD_UNAVAILABLE: {
    class: "permanent",
    summary: "This process cannot take its settings in anew.",
    remedy: "Ask the running service: send it SIGHUP, or POST /api/v1/settings/reload. Else restart it.",
  },
  SETTING_DUPLICATE: {
    class: "permanent",
    summary: "Something in the settings is there twice that must be there once.",
    remedy: "Remove one of the two, or give it a name, path or key of its own.",
  },
  SETTING_INVALID: {
    class: "permanent",
    summary: "A setting has a value that it cannot have.",
    remedy: "Write what the message asks for; `radferry config sample` shows an example.",
  },
  SETTING_MISSING: {
    class: "permanent",
    summary: "A setting that is needed is missing.",
    remedy: "Add it; `radferry config sample` shows an example.",
  },
  SETTING_NOT_SUPPORTED: {
    class: "permanent",
    summary: "This version of Radferry knows the setting but cannot do what it asks for.",
    remedy: "Remove it, or use a version that can.",
  },
  SETTING_REFERENCE_UNKNOWN: {
    class: "permanent",
    summary: "A setting names something that is not configured.",
    remedy: "Correct the name, or configure what it names.",
  },
  SETTING_UNKNOWN: {
    class: "permanent",
    summary: "There is no setting of this name.",
    remedy: "Correct the name or remove it; `radferry config schema` lists every setting.",
  },
} as const satisfies Record<string, ErrorEntry>;
