import type { ErrorEntry } from "../error-class.ts";

/** Codes of the log-in by OpenID Connect, sorted. */
export const oidcCodes = {
  OIDC_ANSWER_INVALID: {
    class: "permanent",
    summary: "What came back does not belong to a log-in that was begun in this browser, or the issuer may not say it.",
    remedy:
      "Begin the log-in anew, in one window. If it persists, hold issuer, client and redirect address against the issuer's registration.",
  },
  OIDC_CLIENT_REFUSED: {
    class: "permanent",
    summary: "The issuer does not know the gateway as its client, or not by this secret.",
    remedy: "Hold clientId, clientSecretFile and redirectBaseUrl of http.oidc against the registration at the issuer.",
  },
  OIDC_ISSUER_UNAVAILABLE: {
    class: "transient",
    summary: "The issuer that people log in at does not answer.",
    remedy: "Try again in a moment, or log in with a token. `radferry doctor` asks the issuer.",
  },
  OIDC_LOG_IN_EXPIRED: {
    class: "permanent",
    summary: "The log-in took too long, or the issuer's word was good for too short a time.",
    remedy: "Begin the log-in anew. If it persists, hold this machine's clock against the issuer's.",
  },
  OIDC_LOG_IN_REFUSED: {
    class: "permanent",
    summary: "The issuer did not log the user in.",
    remedy: "Begin the log-in anew; ask the issuer's administrator whether the account may use this application.",
  },
  OIDC_NOT_CONFIGURED: {
    class: "permanent",
    summary: "This gateway has no log-in by OpenID Connect.",
    remedy: "Log in with a token, or set http.oidc.",
  },
  OIDC_USER_UNMAPPED: {
    class: "permanent",
    summary: "The issuer knows the user, and http.oidc.roles gives none of what it says of him a role here.",
    remedy: "Ask for membership in a group that http.oidc.roles names, or have an admin add one to it.",
  },
} as const satisfies Record<string, ErrorEntry>;
