import { z } from "zod";
import { dimsePeer } from "./manifest-dicom.ts";
import { httpPatience, httpPeer } from "./manifest-http.ts";
import {
  addressSetting,
  nameSetting,
  pathSetting,
  receiverSetting,
  textSetting,
  timeZoneSetting,
  urlSetting,
  windowSetting,
} from "./scalars.ts";

const name = nameSetting.meta({ description: "The archive's name, used by projects, logs and the command line." });
const url = urlSetting.meta({ description: "The archive's base URL." });

const availability = z
  .strictObject({
    timeZone: timeZoneSetting.optional().meta({ description: "Time zone of the windows; left out: this machine's." }),
    windows: z
      .array(windowSetting)
      .max(100)
      .optional()
      .meta({ description: "Hours in which the archive may be used; left out: always." }),
    associations: z.int().min(1).max(64).default(4).meta({ description: "Associations open to the archive at once." }),
    studiesPerMinute: z
      .number()
      .positive()
      .max(10_000)
      .optional()
      .meta({ description: "Studies asked for in a minute, evenly spaced; left out: without limit." }),
    bytesPerSecond: z
      .int()
      .min(10_000)
      .optional()
      .meta({ description: "Bytes taken from the archive in a second; left out: as many as come." }),
  })
  .prefault({})
  .meta({ description: "How much, and when, the archive may be used." });

export const archiveSettings = z.discriminatedUnion("kind", [
  z.strictObject({
    name,
    kind: z.literal("dimse").meta({ description: "How the archive is spoken to." }),
    address: addressSetting.meta({ description: "The archive as AET@host:port." }),
    retrieve: z.enum(["move", "get"]).default("move").meta({
      description: "move: the archive sends to our listener (C-MOVE); get: over our own association (C-GET).",
    }),
    ...dimsePeer,
    availability,
  }),
  z.strictObject({
    name,
    kind: z.literal("folder"),
    path: pathSetting.meta({
      description: "Folder below which DICOM files, zips or media lie that others write; or one zip.",
    }),
    availability,
  }),
  z.strictObject({ name, kind: z.literal("dicomweb"), url, ...httpPeer, ...httpPatience, availability }),
  z.strictObject({
    name,
    kind: z.literal("rad69"),
    url,
    repositoryUniqueId: textSetting.meta({ description: "OID of the imaging document source." }),
    search: nameSetting.meta({ description: "The archive that is searched in its place." }),
    ...httpPeer,
    ...httpPatience,
    availability,
  }),
  z.strictObject({
    name,
    kind: z.literal("orthanc"),
    url,
    modality: textSetting.optional().meta({
      description: "The Orthanc's name for an archive that it fetches from for us; left out: what it holds itself.",
    }),
    ...httpPeer,
    ...httpPatience,
    availability,
  }),
  z.strictObject({
    name,
    kind: z.literal("xnat-dqr"),
    url,
    project: textSetting
      .default("radferry")
      .meta({ description: "XNAT project that studies are imported into by DQR; they stay there." }),
    pacs: z
      .int()
      .min(1)
      .optional()
      .meta({ description: "The XNAT's number of the PACS; left out: the default one for queries." }),
    receiver: receiverSetting.optional().meta({
      description: "DICOM receiver of the XNAT as AET:port; left out: the one that routes for DQR.",
    }),
    ...httpPeer,
    availability,
  }),
]);
