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
