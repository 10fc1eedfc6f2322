import { z } from "zod";
import {
  aeTitleSetting,
  hostSetting,
  listenPortSetting,
  networkSetting,
  pathSetting,
  sopClassSetting,
  textSetting,
  transferSyntaxSetting,
} from "./scalars.ts";

/** Registered for DICOM over TLS. PS3.15 B.12, IANA dicom-tls. */
const DICOM_TLS_PORT = 2_762;

const listenerTls = z.strictObject({
  certificateFile: pathSetting.meta({
    description: "PEM file of our certificate, with the intermediate ones behind it.",
  }),
  keyFile: pathSetting.meta({ description: "PEM file of our certificate's key, readable by us alone." }),
  clientAuthoritiesFile: pathSetting.optional().meta({
    description:
      "PEM file of authorities: only who shows a certificate of theirs may connect. Left out: nobody is asked.",
  }),
  port: listenPortSetting.default(DICOM_TLS_PORT).meta({ description: "Port of our DICOM listener over TLS." }),
  only: z
    .boolean()
    .default(false)
    .meta({ description: "true: nothing listens without TLS; dicom.port is not opened." }),
});

const aeTitles = (description: string) => z.array(aeTitleSetting).min(1).max(1_000).optional().meta({ description });

/** A list that says who or what is allowed may not be empty: it would be read as "all" by one and as "none" by another. */
const peer = z.strictObject({
  callingAeTitles: aeTitles("AE titles of the peers that the rule is for. Left out: any."),
  addresses: z
    .array(networkSetting)
    .min(1)
    .max(1_000)
    .optional()
    .meta({ description: "IP addresses or networks (10.0.0.0/8) that the rule is for. Left out: any." }),
  calledAeTitles: aeTitles("AE titles that these peers may call us by. Left out: ours."),
  sopClasses: z
    .array(sopClassSetting)
    .min(1)
    .max(1_000)
    .optional()
    .meta({ description: "SOP classes that are taken from these peers, by keyword or UID. Left out: all." }),
  transferSyntaxes: z
    .array(transferSyntaxSetting)
    .min(1)
    .max(100)
    .optional()
    .meta({ description: "Transfer syntaxes that are taken from these peers, the preferred first. Left out: all." }),
});

const user = z.strictObject({
  username: textSetting.meta({ description: "User name that a peer gives." }),
  passwordFile: pathSetting.meta({ description: "File that holds the user's password, readable by us alone." }),
});

export const dicomSettings = z.strictObject({
  aeTitle: aeTitleSetting.prefault("RADFERRY").meta({ description: "Our AE title: archives send studies to it." }),
  host: hostSetting.default("127.0.0.1").meta({
    description: "Address our DICOM listener binds. Archives elsewhere need this machine's address or 0.0.0.0.",
  }),
  port: listenPortSetting.default(11_112).meta({ description: "Port of our DICOM listener." }),
  tls: listenerTls.optional().meta({ description: "Our DICOM listener over TLS, beside the plain one or alone." }),
  maximumAssociations: z
    .int()
    .min(1)
    .max(1_000)
    .default(100)
    .meta({ description: "Associations that each of our listeners holds at once." }),
  maximumPduLength: z
    .int()
    .min(4_096)
    .max(1_048_576)
    .default(131_072)
    .meta({ description: "Bytes that peers may send us in one PDU." }),
  acceptUnknownSopClasses: z
    .boolean()
    .default(true)
    .meta({ description: "Whether private storage SOP classes are taken too." }),
  transferSyntaxes: z.array(transferSyntaxSetting).min(1).max(100).optional().meta({
    description: "Transfer syntaxes our listener takes, by keyword or UID, the preferred first. Left out: all.",
  }),
  peers: z
    .array(peer)
    .min(1)
    .max(1_000)
    .optional()
    .meta({ description: "Who may connect to our listener; the first that matches decides. Left out: anybody." }),
  users: z
    .array(user)
    .min(1)
    .max(1_000)
    .optional()
    .meta({ description: "Users that may connect to our listener, by user identity. Left out: nobody is asked." }),
});

/** How a DICOM peer that we connect to by TLS is checked, and what it is shown. @param leftOut what holds where a setting is left out */
export const peerTlsGroup = (leftOut: { readonly authorities: string; readonly certificate?: string }) =>
  z
    .strictObject({
      authoritiesFile: pathSetting.optional().meta({
        description: `PEM file of the authorities that the peer's certificate is checked against. ${leftOut.authorities}`,
      }),
      certificateFile: pathSetting.optional().meta({
        description: `PEM file of the certificate we show, where the peer asks for one.${leftOut.certificate ?? ""}`,
      }),
      keyFile: pathSetting
        .optional()
        .meta({ description: "PEM file of that certificate's key, readable by us alone." }),
      serverName: hostSetting
        .optional()
        .meta({ description: "Name that the peer's certificate bears. Left out: the host of the address." }),
    })
    .refine(({ certificateFile, keyFile }) => certificateFile === undefined || keyFile !== undefined, {
      path: ["keyFile"],
      error: "the key of the certificate is expected",
    })
    .refine(({ certificateFile, keyFile }) => keyFile === undefined || certificateFile !== undefined, {
      path: ["certificateFile"],
      error: "the certificate of the key is expected",
    });

const SYSTEM_TRUST = "Left out, or with tls: true: those that this machine trusts.";

/** How a DICOM peer that we connect to is reached and told who we are. */
export const dimsePeer = {
  tls: z
    .union([z.boolean(), peerTlsGroup({ authorities: SYSTEM_TRUST })])
    .optional()
    .meta({ description: "Present or true: we connect by TLS." }),
  user: z
    .strictObject({
      username: textSetting.meta({ description: "User name that we give to the peer." }),
      passwordFile: pathSetting
        .optional()
        .meta({ description: "File that holds the user's password, readable by us alone. Left out: none is sent." }),
    })
    .optional()
    .meta({ description: "User identity of our associations." }),
};
