import { z } from "zod";
import { httpPeer } from "./manifest-http.ts";
import { pathSetting, textSetting, urlSetting } from "./scalars.ts";

/** Where a bucket of an object store is. */
export const bucketPlace = {
  endpoint: urlSetting
    .optional()
    .meta({ description: "URL of the object store; left out: Amazon's own of the region." }),
  region: textSetting.default("us-east-1").meta({ description: "Region that requests are signed for." }),
};

/** How it is come by. */
export const bucketAccess = {
  accessKeyId: textSetting.meta({ description: "Name of the access key." }),
  secretAccessKeyFile: pathSetting.meta({ description: "File that holds the secret access key." }),
  pathStyle: z.boolean().optional().meta({
    description:
      "Whether the bucket stands in the path, not in the host's name; left out: with an endpoint of one's own.",
  }),
  authoritiesFile: httpPeer.authoritiesFile,
};
