import { z } from "zod";
import { hookSettings } from "./manifest-hook.ts";
import { modalitySetting, nameSetting, pathSetting, textSetting } from "./scalars.ts";

const lookupSettings = {
  lookupFile: pathSetting.optional().meta({
    description: "CSV file of replacements that win over made ones: kind,original,replacement and maybe project.",
  }),
  mergePatients: z.boolean().optional().meta({
    description: "true: several patient ids may become one patient, by the lookup file or by participant ids.",
  }),
};

const pseudonymSettings = z
  .discriminatedUnion("mode", [
    z.strictObject({
      mode: z
        .literal("hmac")
        .optional()
        .meta({ description: "How pseudonyms are made; hmac: from the key, pixl: patients' as PIXL's hasher does." }),
      ...lookupSettings,
    }),
    z.strictObject({
      mode: z.literal("pixl"),
      hashKeyFile: pathSetting.meta({
        description: "File that holds the hasher's key, readable by us alone.",
      }),
      projectSaltFile: pathSetting.meta({ description: "File that holds the project's salt." }),
      localSaltFile: pathSetting.meta({ description: "File that holds the site's salt; it may be empty." }),
      ...lookupSettings,
    }),
  ])
  .prefault({ mode: "hmac" })
  .meta({ description: "Pseudonyms of patients." });

const filterSettings = z
  .strictObject({
    modalities: z.array(modalitySetting).min(1).max(100).optional().meta({ description: "Modalities that may pass." }),
    minimumInstancesPerSeries: z
      .int()
      .min(1)
      .max(1_000_000)
      .optional()
      .meta({ description: "Series with fewer instances are left out." }),
    excludeSeriesDescriptions: z
      .array(textSetting)
      .max(1_000)
      .optional()
      .meta({ description: "Series whose description contains one of these, in any letter case, are left out." }),
  })
  .prefault({})
  .meta({ description: "What the project does not want; left out: everything passes." });

export const projectSettings = z.strictObject({
  name: nameSetting.meta({ description: "The project's name." }),
  archives: z
    .array(nameSetting)
    .max(100)
    .default([])
    .meta({ description: "Archives to look in, the first first. None: it has what is sent to us for it." }),
  destinations: z.array(nameSetting).min(1).max(100).meta({ description: "Where its studies are delivered." }),
  profile: textSetting.meta({
    description: "De-identification profile: basic, research or pixl, or the path of a profile's file.",
  }),
  keyFile: pathSetting.meta({
    description: "The project's secret, made by radferry project new-key, readable by us alone.",
  }),
  linkageKeyFile: pathSetting.optional().meta({
    description:
      "Key of its own, made the same way: with it is kept, sealed, who every pseudonym stands for. Left out: it is not kept.",
  }),
  partial: z
    .enum(["hold", "deliver"])
    .default("hold")
    .meta({ description: "What becomes of a study that did not arrive whole, or may not have." }),
  maximumStudiesPerRequest: z
    .int()
    .min(1)
    .max(1_000)
    .default(5)
    .meta({ description: "A row that matches more studies than this is not retrieved." }),
  accessionNumbersUnique: z
    .boolean()
    .default(true)
    .meta({ description: "false: a row must carry patient_id beside accession_number." }),
  pseudonyms: pseudonymSettings,
  optOut: z
    .array(pathSetting)
    .max(100)
    .default([])
    .meta({ description: "CSV files of patient ids that are never asked for and never delivered." }),
  filters: filterSettings,
  hook: hookSettings.optional(),
});
