import { z } from "zod";
import { bucketAccess, bucketPlace } from "./manifest-bucket.ts";
import { dimsePeer } from "./manifest-dicom.ts";
import { httpPatience, httpPeer } from "./manifest-http.ts";
import {
  addressSetting,
  hostSetting,
  nameSetting,
  pathSetting,
  portSetting,
  remoteFolderSetting,
  textSetting,
  urlSetting,
} from "./scalars.ts";

const name = nameSetting.meta({ description: "The destination's name, used by projects and logs." });

const layout = z.enum(["files", "zip"]).default("files").meta({
  description: "A file for each instance with a report beside them, or one zip for each study.",
});

export const destinationSettings = z.discriminatedUnion("kind", [
  z.strictObject({
    name,
    kind: z.literal("folder").meta({ description: "How the destination is spoken to." }),
    path: pathSetting.meta({ description: "Folder that de-identified studies are written to." }),
    layout,
  }),
  z.strictObject({
    name,
    kind: z.literal("dimse"),
    address: addressSetting.meta({ description: "The destination as AET@host:port; studies are sent by C-STORE." }),
    confirm: z
      .enum(["find"])
      .default("find")
      .meta({ description: "How delivery is proven; find: the destination lists every instance by C-FIND." }),
    ...dimsePeer,
  }),
  z.strictObject({
    name,
    kind: z.literal("dicomweb"),
    url: urlSetting.meta({ description: "The destination's base URL; studies are sent by STOW-RS." }),
    ...httpPeer,
    ...httpPatience,
  }),
  z.strictObject({ name, kind: z.literal("orthanc"), url: urlSetting, ...httpPeer, ...httpPatience }),
  z.strictObject({
    name,
    kind: z.literal("xnat"),
    url: urlSetting.meta({ description: "Base URL of the XNAT." }),
    username: textSetting.meta({ description: "User name at the XNAT." }),
    passwordFile: pathSetting.meta({ description: "File that holds the password." }),
    clientCertificateFile: httpPeer.clientCertificateFile,
    clientKeyFile: httpPeer.clientKeyFile,
    authoritiesFile: httpPeer.authoritiesFile,
    project: textSetting
      .optional()
      .meta({ description: "XNAT project; left out: the one that is called as the study's own project." }),
    into: z.enum(["archive", "prearchive"]).default("archive").meta({
      description: "Where studies go: archived at once, or into the prearchive, where a person looks at them.",
    }),
    upload: z.enum(["dicom-zip", "gradual-dicom"]).default("dicom-zip").meta({
      description: "How they are sent: by zips of many instances, or one instance at a time.",
    }),
    overwrite: z.enum(["none", "append", "delete"]).default("append").meta({
      description: "What may be done with a session that we delivered before and that lacks instances.",
    }),
    proof: z.enum(["uids", "digest"]).default("uids").meta({
      description:
        "What proves delivery: whole files with their UIDs; or equal data sets, which few XNATs leave equal.",
    }),
  }),
  z.strictObject({
    name,
    kind: z.literal("ftps"),
    host: hostSetting.meta({ description: "Host of the FTPS server; its certificate must be for this name." }),
    port: portSetting.optional().meta({
      description: "Its port; left out: 990 for implicit TLS, 21 for explicit.",
    }),
    security: z.enum(["implicit", "explicit"]).default("implicit").meta({
      description: "TLS from the first byte, as PIXL's servers want it, or by AUTH TLS; never none.",
    }),
    username: textSetting.meta({ description: "User name at the FTPS server." }),
    passwordFile: pathSetting,
    folder: remoteFolderSetting.optional().meta({
      description: "Folder on the server that the projects' folders are made in; left out: the user's own.",
    }),
    clientCertificateFile: httpPeer.clientCertificateFile,
    clientKeyFile: httpPeer.clientKeyFile,
    authoritiesFile: httpPeer.authoritiesFile,
    readBack: z.enum(["directory", "whole"]).default("directory").meta({
      description:
        "What is read back of a delivered zip: its directory, with size and sum of each file; or all of it, compared by SHA-256.",
    }),
  }),
  z
    .strictObject({
      name,
      kind: z.literal("sftp"),
      host: hostSetting.meta({ description: "Host of the SFTP server." }),
      port: portSetting.optional().meta({ description: "Its port; left out: 22." }),
      username: textSetting.meta({ description: "User name at the SFTP server." }),
      passwordFile: pathSetting.optional().meta({ description: "File that holds the password; or a key is named." }),
      privateKeyFile: pathSetting.optional().meta({
        description: "Private key to log in with, in the form of OpenSSH or PEM.",
      }),
      passphraseFile: pathSetting
        .optional()
        .meta({ description: "File that holds what the private key is opened with." }),
      hostKeys: z
        .array(z.string().regex(/^SHA256:[A-Za-z0-9+/]{43}=?$/, "a fingerprint such as SHA256:… is expected"))
        .min(1)
        .meta({
          description:
            "Fingerprints of the keys the server may have, as `ssh-keygen -lf` prints them; any other is refused.",
        }),
      folder: remoteFolderSetting.optional().meta({
        description: "Folder on the server that the projects' folders are made in; left out: the user's own.",
      }),
      layout,
      readBack: z.enum(["directory", "whole"]).default("directory").meta({
        description:
          "What is read back: names and sizes, of a zip its directory with sums; or all of it, compared by SHA-256.",
      }),
    })
    .refine(({ passwordFile, privateKeyFile }) => passwordFile !== undefined || privateKeyFile !== undefined, {
      path: ["passwordFile"],
      error: "a passwordFile or a privateKeyFile is expected",
    }),
  z.strictObject({
    name,
    kind: z.literal("s3"),
    ...bucketPlace,
    bucket: textSetting.meta({ description: "Bucket that objects are put into; it is there already." }),
    prefix: remoteFolderSetting.optional().meta({ description: "What keys begin with; left out: nothing." }),
    ...bucketAccess,
    readBack: z.enum(["sums", "whole"]).default("sums").meta({
      description:
        "What proves delivery: the sum that the store names of each object; or all of it, fetched back and compared by SHA-256.",
    }),
  }),
]);
