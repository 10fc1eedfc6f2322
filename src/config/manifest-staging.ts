import { z } from "zod";
import { httpPeer } from "./manifest-http.ts";
import { pathSetting, remoteFolderSetting, textSetting, urlSetting } from "./scalars.ts";

export const sharedStagingSettings = z.strictObject({
  kind: z.literal("s3").meta({ description: "Kind of the shared store; s3: an object store." }),
  endpoint: urlSetting
    .optional()
    .meta({ description: "URL of the object store; left out: Amazon's own of the region." }),
  region: textSetting.default("us-east-1").meta({ description: "Region that requests are signed for." }),
  bucket: textSetting.meta({ description: "Bucket that copies are kept in; it is there already." }),
  prefix: remoteFolderSetting.default("outbox").meta({
    description:
      "What keys begin with. Only gateways on one database may share it: they remove what their jobs do not need.",
  }),
  accessKeyId: textSetting.meta({ description: "Name of the access key." }),
  secretAccessKeyFile: pathSetting.meta({ description: "File that holds the secret access key." }),
  pathStyle: z.boolean().optional().meta({
    description:
      "Whether the bucket stands in the path, not in the host's name; left out: with an endpoint of one's own.",
  }),
  authoritiesFile: httpPeer.authoritiesFile,
});
