import { z } from "zod";

const count = z.int().min(0);
const countsByTag = z.record(z.string(), count);
const length = z.int().min(4).optional().describe("Characters; not told of values shorter than 4");

/** The de-identification report as it is stored beside a study. What a destination adds to it is described too. */
export const studyReportSchema = z
  .looseObject({
    project: z.string(),
    profile: z.object({
      name: z.string(),
      version: z.int(),
      hash: z.string().describe("SHA-256 of the effective rules, lower-case hexadecimal"),
    }),
    keyId: z.string().describe("Names the project's key; 8 hexadecimal digits"),
    engine: z.string(),
    outcome: z.enum(["delivered", "excluded", "quarantined"]),
    counts: z.object({
      instances: count,
      deidentified: count,
      excluded: count.describe("Left out on purpose"),
      rejected: count.describe("Kept back"),
      failed: count.optional().describe("Of the rejected: originals that could not be read"),
    }),
    actions: z.record(z.string(), z.record(z.string(), count)).describe("What was done, by tag and action"),
    unlisted: countsByTag.describe("Elements removed because no table names them, by tag"),
    private: countsByTag.describe("Private elements removed, by (gggg,xxee)"),
    notes: z
      .record(z.string(), count)
      .describe("Oddities that were dealt with, and references to what is not delivered"),
    options: z.array(z.string()).describe("Codes of PS3.16 CID 7050 that the outputs claim"),
    release: z
      .object({
        leftOut: count.describe("Instances that stayed behind by that decision"),
        allowedTags: z.array(z.string()).describe("Where an identifier may stand"),
        accepted: z
          .array(z.object({ reason: z.string(), count }))
          .describe("Identifiers that were found there, by kind and place, with the number of outputs"),
      })
      .optional()
      .describe(
        "What a person let the study go with, after it had been quarantined; who and why is in the audit trail",
      ),
    reviews: z
      .array(z.object({ tag: z.string(), review: z.string() }))
      .describe("What the profile keeps against the confidentiality profile, and who allowed it"),
    reasons: z
      .array(
        z.object({
          code: z.string(),
          reason: z.string(),
          tag: z.string().optional().describe("The place that the reason names"),
          count,
          kinds: z
            .array(z.object({ sopClass: z.string(), modality: z.string(), count }))
            .optional()
            .describe(
              "What they are: keyword of the SOP class and modality, each empty where it is none of the standard's",
            ),
        }),
      )
      .describe("Why instances stayed behind"),
    verify: z.object({
      hits: count.describe("Outputs in which an identifier was found; none of them left"),
      bytes: count.describe("Bytes of the outputs that were read again"),
      identifiers: count,
      ms: count.optional().describe("Time that verification took; the only part that differs between runs"),
    }),
    sample: z
      .array(
        z.object({
          tag: z.string(),
          vr: z.string(),
          depth: count,
          before: z.object({ class: z.string(), length }),
          after: z.object({ length }).optional().describe("Absent: the attribute went"),
        }),
      )
      .describe("Attributes of the study before and after, without values"),
    verdict: z.enum(["complete", "partial", "unknown"]).optional(),
    pseudonym: z.string().optional(),
    studyInstanceUid: z.string().optional().describe("Of the outputs"),
    processing: z
      .object({
        contract: count.describe("Version of the contract with processing hooks"),
        replaced: count.describe("Instances that came back from the hook in another form"),
        files: z
          .array(z.object({ path: z.string(), sha256: z.string(), sizeBytes: count }))
          .describe("Beside the series"),
      })
      .optional()
      .describe("What the project's processing hook made of the study; absent: it has none"),
    transcoded: z
      .array(
        z.object({
          destination: z.string(),
          sopInstanceUid: z.string().describe("Of the output"),
          transferSyntaxUid: z.string().describe("That it was sent in"),
          sizeBytes: count,
          sha256: z.string().describe("Of the data set as it was sent"),
        }),
      )
      .optional()
      .describe("Instances that a destination got uncompressed; pixel values are those of the files, bytes are not"),
    receipt: z.looseObject({}).optional(),
    files: z.array(z.object({ path: z.string(), sha256: z.string(), sizeBytes: count })).optional(),
  })
  .describe("De-identification report of one study: tags, counts and codes; no value of any object");

/** What is stored beside the series of a study: the report of one, or of several original studies that became one. */
export const studyFolderReportSchema = z.union([
  studyReportSchema,
  z
    .strictObject({
      project: z.string().optional(),
      pseudonym: z.string(),
      studyInstanceUid: z.string().describe("Of the outputs"),
      studies: z.array(studyReportSchema).min(1).describe("The report of each original study, with its own files"),
      files: z.array(z.object({ path: z.string(), sha256: z.string(), sizeBytes: count })).describe("Of all of them"),
    })
    .describe("De-identification reports of several original studies that became one"),
]);
