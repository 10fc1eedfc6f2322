import { z } from "zod";
import { pathSetting, textSetting } from "./scalars.ts";

/** How we prove who we are to a peer that speaks HTTP, and it to us. */
export const httpPeer = {
  tokenFile: pathSetting.optional().meta({ description: "File that holds a bearer token." }),
  username: textSetting.optional().meta({ description: "User name at the peer." }),
  passwordFile: pathSetting.optional().meta({ description: "File that holds the password." }),
  clientCertificateFile: pathSetting.optional().meta({ description: "File that holds our certificate." }),
  clientKeyFile: pathSetting.optional().meta({ description: "File that holds our certificate's key." }),
  authoritiesFile: pathSetting
    .optional()
    .meta({ description: "File of the authorities that vouch for the peer; left out: those the system trusts." }),
};

/** For a peer that has nothing but HTTP's own silence to tell that it works on an answer. */
export const httpPatience = {
  answerTimeoutSeconds: z.int().min(5).max(86_400).default(300).meta({
    description:
      "Longest time until an answer begins, which a peer may need to store what it was sent; after it the study is tried again.",
  }),
};
