import { z } from "zod";
import { tagOfKeyword } from "../dicom/dictionary/dictionary.ts";
import {
  addressSetting,
  aeTitleSetting,
  modalitySetting,
  nameSetting,
  networkSetting,
  textSetting,
} from "./scalars.ts";

const aeTitles = (description: string) => z.array(aeTitleSetting).min(1).max(1_000).optional().meta({ description });
const texts = (description: string) => z.array(textSetting).min(1).max(1_000).optional().meta({ description });

const keywordSetting = z
  .string()
  .refine((keyword) => tagOfKeyword(keyword) !== undefined, "a keyword of PS3.6 such as BodyPartExamined is expected");

const rule = z
  .strictObject({
    name: nameSetting.meta({ description: "What the rule is called; stands in lists and timelines." }),
    callingAeTitles: aeTitles("AE titles of the senders. Left out: any."),
    calledAeTitles: aeTitles("AE titles that we are called by; dicom.peers must allow them. Left out: any."),
    moveOriginatorAeTitles: aeTitles(
      "AE titles that had it sent to us by C-MOVE, as the sender says (0000,1030). Left out: any, and nobody.",
    ),
    tokens: z
      .array(nameSetting)
      .min(1)
      .max(1_000)
      .optional()
      .meta({ description: "Names of tokens that are sent with by STOW-RS. Left out: any, and C-STORE." }),
    addresses: z
      .array(networkSetting)
      .min(1)
      .max(1_000)
      .optional()
      .meta({ description: "IP addresses or networks (10.0.0.0/8) of the senders. Left out: any." }),
    modalities: z.array(modalitySetting).min(1).max(100).optional().meta({ description: "Left out: any." }),
    stationNames: texts("Values of Station Name (0008,1010). Left out: any."),
    descriptions: texts("Parts of the study's or series' description, in whatever case; one is enough. Left out: any."),
    values: z
      .array(
        z.strictObject({
          keyword: keywordSetting.meta({ description: "Keyword of an attribute, such as BodyPartExamined." }),
          value: textSetting.meta({ description: "What it must be." }),
        }),
      )
      .min(1)
      .max(100)
      .optional()
      .meta({ description: "Attributes that must have these values. Left out: none." }),
    project: nameSetting.optional().meta({ description: "The project that it is for." }),
    refuse: z
      .string()
      .regex(/^[^\\\p{Cc}]{1,64}$/u, "a reason of 1 to 64 characters is expected")
      .optional()
      .meta({ description: "In the place of a project: it is refused, and the sender is told this." }),
    archive: nameSetting.optional().meta({
      description: "Archive that is asked how much a study should hold, once it is quiet. Left out: none.",
    }),
  })
  .refine(({ archive, refuse }) => archive === undefined || refuse === undefined, {
    path: ["archive"],
    error: "what is refused is not asked for",
  })
  .refine(({ project, refuse }) => (project === undefined) !== (refuse === undefined), {
    path: ["project"],
    error: "either a project or refuse is expected",
  });

export const intakeSettings = z.strictObject({
  quietSeconds: z
    .number()
    .positive()
    .max(86_400)
    .default(120)
    .meta({ description: "A study is complete when nothing more of it came for so long." }),
  longestSeconds: z
    .number()
    .positive()
    .max(604_800)
    .default(7_200)
    .meta({ description: "It is taken for complete so long after its first instance, whatever still comes." }),
  commitTo: z.array(addressSetting).max(1_000).default([]).meta({
    description:
      "AET@host:port of senders who take results of storage commitment over an association of ours. Others: over theirs.",
  }),
  rules: z
    .array(rule)
    .max(1_000)
    .default([])
    .meta({ description: "Whose it is; the first that holds decides. What none holds for is held for a person." }),
});
