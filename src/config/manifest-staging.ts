import { z } from "zod";
import { bucketAccess, bucketPlace } from "./manifest-bucket.ts";
import { remoteFolderSetting, textSetting } from "./scalars.ts";

export const sharedStagingSettings = z.strictObject({
  kind: z.literal("s3").meta({ description: "Kind of the shared store; s3: an object store." }),
  ...bucketPlace,
  bucket: textSetting.meta({ description: "Bucket that copies are kept in; it is there already." }),
  prefix: remoteFolderSetting.default("outbox").meta({
    description:
      "What keys begin with. Only gateways on one database may share it: they remove what their jobs do not need.",
  }),
  ...bucketAccess,
});
