import { ApiProblem } from "../../api/problem.ts";

interface Refusal {
  readonly title: string;
  readonly remedy: string;
}

/** What the issuer's log-in may end with, in the words of docs/errors.md: the browser comes back with the code alone. */
export const REFUSALS: Readonly<Record<string, Refusal>> = {
  API_RATE_LIMITED: {
    title: "Too many requests came from here in a short time.",
    remedy: "Wait as long as the Retry-After header says.",
  },
  OIDC_ANSWER_INVALID: {
    title: "What came back does not belong to a log-in that was begun in this browser, or the issuer may not say it.",
    remedy:
      "Begin the log-in anew, in one window. If it persists, hold issuer, client and redirect address against the issuer's registration.",
  },
  OIDC_CLIENT_REFUSED: {
    title: "The issuer does not know the gateway as its client, or not by this secret.",
    remedy: "Hold clientId, clientSecretFile and redirectBaseUrl of http.oidc against the registration at the issuer.",
  },
  OIDC_ISSUER_UNAVAILABLE: {
    title: "The issuer that people log in at does not answer.",
    remedy: "Try again in a moment, or log in with a token. `radferry doctor` asks the issuer.",
  },
  OIDC_LOG_IN_EXPIRED: {
    title: "The log-in took too long, or the issuer's word was good for too short a time.",
    remedy: "Begin the log-in anew. If it persists, hold this machine's clock against the issuer's.",
  },
  OIDC_LOG_IN_REFUSED: {
    title: "The issuer did not log the user in.",
    remedy: "Begin the log-in anew; ask the issuer's administrator whether the account may use this application.",
  },
  OIDC_USER_UNMAPPED: {
    title: "The issuer knows the user, and http.oidc.roles gives none of what it says of him a role here.",
    remedy: "Ask for membership in a group that http.oidc.roles names, or have an admin add one to it.",
  },
};

/** @param search of the address that the browser was sent back to; a code that is none of these shows as it is, if it is a code at all */
export function refusedLogIn(search: string): ApiProblem | undefined {
  const code = new URLSearchParams(search).get("log-in") ?? "";
  if (!/^[A-Z][A-Z_]{1,60}$/.test(code)) return undefined;
  const known = Object.hasOwn(REFUSALS, code) ? REFUSALS[code] : undefined;
  const { title = "The log-in failed.", remedy = "Begin the log-in anew, or log in with a token." } = known ?? {};
  return new ApiProblem({ status: 0, code, title, remedy });
}
