import { z } from "zod";
import { ROLES } from "../units/actor.ts";
import { nameSetting, pathSetting, textSetting, urlSetting } from "./scalars.ts";

/** RFC 6749 3.3. */
const scope = z.string().regex(/^[\x21\x23-\x5b\x5d-\x7e]{1,100}$/, "a scope such as profile is expected");

/** As it stands in a token; members of members are named with dots: `realm_access.roles`. */
const claim = z.string().regex(/^[^\s"'<>]{1,200}$/, "the name of a claim, such as groups, is expected");

/** Longest session of a browser, with a token or without. */
const MOST_HOURS = 12;

const roleSettings = z.strictObject({
  value: textSetting.meta({ description: "What the claim holds: a group, a role at the issuer." }),
  role: z.enum(ROLES).meta({ description: "What whoever has it may do here." }),
  projects: z
    .array(nameSetting)
    .min(1)
    .max(1_000)
    .optional()
    .meta({ description: "In these projects alone; left out: in all." }),
});

export const oidcSettings = z.strictObject({
  name: textSetting
    .max(60)
    .default("OpenID Connect")
    .meta({ description: "What people know the account by; it stands on the log-in page." }),
  issuer: urlSetting.meta({
    description: "The issuer's URL; what it offers is read from /.well-known/openid-configuration below it.",
  }),
  clientId: textSetting.meta({ description: "What the gateway is registered as at the issuer." }),
  clientSecretFile: pathSetting.optional().meta({
    description:
      "File that holds the client's secret, readable by us alone. Left out: a public client, with PKCE alone.",
  }),
  redirectBaseUrl: urlSetting.meta({
    description:
      "The gateway's URL as browsers see it; with /session/oidc/callback behind it, the redirect address to register at the issuer.",
  }),
  authoritiesFile: pathSetting
    .optional()
    .meta({ description: "File of the authorities that vouch for the issuer; left out: those the system trusts." }),
  scopes: z
    .array(scope)
    .min(1)
    .max(20)
    .refine((scopes) => scopes.includes("openid"), "openid is expected among them")
    .default(["openid", "profile"])
    .meta({ description: "What is asked for; openid must be among it." }),
  nameClaim: claim.default("preferred_username").meta({
    description: "The claim that names the user in the audit trail; where there is none, the subject does.",
  }),
  claim: claim.default("groups").meta({
    description: "The claim whose texts give roles; members of members with dots, as realm_access.roles.",
  }),
  roles: z.array(roleSettings).max(1_000).default([]).meta({
    description: "Which text gives which role. Of several the highest role holds, with the projects of its lines.",
  }),
  leastRole: z
    .enum(["none", "viewer", "operator"])
    .default("none")
    .meta({ description: "Role of a user whom no line fits; none: he is turned away." }),
  sessionHours: z.number().positive().max(MOST_HOURS).default(MOST_HOURS).meta({ description: "Longest session." }),
  endWithIdToken: z.boolean().default(true).meta({
    description:
      "true: a session ends no later than the issuer's ID token. false: for issuers whose tokens last minutes.",
  }),
});
