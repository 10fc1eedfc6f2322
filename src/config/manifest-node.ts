import { z } from "zod";
import { peerTlsGroup } from "./manifest-dicom.ts";
import { NODE_ROLES } from "./node-roles.ts";
import { hostSetting, nameSetting, portSetting } from "./scalars.ts";

export const nodeSettings = z.strictObject({
  name: nameSetting.optional().meta({
    description:
      "What this gateway is called among those that share its database. Left out: the machine's name and a random ending, kept in home.",
  }),
  roles: z
    .array(z.enum(NODE_ROLES))
    .min(1)
    .max(NODE_ROLES.length)
    .default([...NODE_ROLES])
    .meta({
      description: "What it does: receiver: our DICOM listener, worker: study jobs, http: API, dashboard and faces.",
    }),
  sharedAeTitle: z.boolean().default(false).meta({
    description:
      "Several gateways answer to dicom.aeTitle behind one address. What arrives here for a study that another gateway asked for, or was sent, is passed on to that one.",
  }),
  port: portSetting.optional().meta({
    description:
      "Port at which other gateways reach our DICOM listener. Left out: dicom.port, with dicom.tls its port.",
  }),
  host: hostSetting.optional().meta({
    description:
      "Address at which other gateways reach our DICOM listener, for what an archive sent to the wrong one. Left out: dicom.host, or the machine's name where that is 0.0.0.0.",
  }),
  tls: peerTlsGroup({
    authorities: "Left out: dicom.tls.clientAuthoritiesFile.",
    certificate: " Left out: dicom.tls.certificateFile.",
  })
    .optional()
    .meta({
      description:
        "What is another way than in dicom.tls when gateways pass images on to each other by TLS, as they do where dicom.tls is set.",
    }),
});
