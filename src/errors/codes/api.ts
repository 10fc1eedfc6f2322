import type { ErrorEntry } from "../error-class.ts";

/** Codes of requests to the gateway's own API, sorted. */
export const apiCodes = {
  API_ADDRESS_UNKNOWN: {
    class: "permanent",
    summary: "There is nothing under this address.",
    remedy: "Look the address up at /docs or in /openapi.json.",
  },
  API_BODY_TOO_LARGE: {
    class: "permanent",
    summary: "The request is longer than this address takes.",
    remedy: "Send less at once: a cohort of many rows may be handed in as several.",
  },
  API_CONTENT_TYPE_UNSUPPORTED: {
    class: "permanent",
    summary: "This address does not take a body of that kind.",
    remedy: "Send it with a Content-Type that the details accept, or that /openapi.json names for the address.",
  },
  API_METHOD_NOT_ALLOWED: {
    class: "permanent",
    summary: "This address does not take that method.",
    remedy: "Use one that the Allow header of the answer names.",
  },
  API_PORT_IN_USE: {
    class: "permanent",
    summary:
      "The API cannot be opened: another program has the port, the address is not this machine's, or a port below 1024 is not for our user.",
    remedy:
      "Look at the cause. EADDRINUSE: stop the other program, or set another http.port. EACCES: give the service CAP_NET_BIND_SERVICE, or take a port from 1024 on. EADDRNOTAVAIL: correct http.host.",
  },
  API_RATE_LIMITED: {
    class: "transient",
    summary: "Too many requests came from here in a short time.",
    remedy: "Wait as long as the Retry-After header says.",
  },
  API_REQUEST_INVALID: {
    class: "permanent",
    summary: "The request is not what this address takes.",
    remedy: "Correct what the problems name; /openapi.json describes every parameter and body.",
  },
  API_REQUEST_CUT: {
    class: "transient",
    summary: "The sender hung up, or fell silent, before its request was whole.",
    remedy:
      "None here: what came whole is kept, and the sender sends the rest again. If it persists, look at the sender's log and for a time limit in between.",
  },
  API_REQUEST_MALFORMED: {
    class: "permanent",
    summary: "The request cannot be read.",
    remedy: "Send well-formed HTTP, and JSON in UTF-8 where JSON is asked for.",
  },
  API_REQUEST_TIMED_OUT: {
    class: "transient",
    summary: "The request was not whole in time.",
    remedy: "Send it again over a connection that is fast enough.",
  },
  API_SESSION_UNPROVEN: {
    class: "permanent",
    summary: "A request with a browser's session did not come from our own pages.",
    remedy:
      "Programs use a bearer token; pages send the X-Radferry-Session header with the value that the log-in gave.",
  },
  API_STOPPING: {
    class: "transient",
    summary: "The gateway is about to stop, or has not started yet.",
    remedy: "Ask again in a moment.",
  },
  API_STREAMS_EXHAUSTED: {
    class: "transient",
    summary: "As many follow the events as the gateway allows.",
    remedy: "Close a page that follows them, or ask again later.",
  },
  API_TOKEN_INVALID: {
    class: "permanent",
    summary: "The token is not one of this gateway's, or it has expired or was revoked.",
    remedy: "Ask an admin for another one: radferry token create NAME --role ROLE.",
  },
  API_TOKEN_MISSING: {
    class: "permanent",
    summary: "Everything below /api/v1 needs a token.",
    remedy:
      "Send it as `Authorization: Bearer TOKEN`. The first one is printed when the service starts for the first time.",
  },
  IDEMPOTENCY_KEY_REUSED: {
    class: "permanent",
    summary: "Something else was asked for under this Idempotency-Key.",
    remedy: "Make a new key for each thing that is asked for, and keep it for repetitions of that alone.",
  },
  IDEMPOTENCY_UNFINISHED: {
    class: "ambiguous",
    summary: "The first request with this Idempotency-Key has not ended, or ended without an answer.",
    remedy: "Ask again in a moment. If it persists, look whether it was carried out before it is sent with a new key.",
  },
  PROJECTS_LIMITED: {
    class: "permanent",
    summary: "This is a matter of the whole site, and you are limited to some projects.",
    remedy: "Ask somebody whose token is for every project.",
  },
  TOKEN_NAME_TAKEN: {
    class: "permanent",
    summary: "A token with this name is in use: the audit trail could not tell the two apart.",
    remedy: "Choose another name, or revoke the token first.",
  },
  TOKEN_UNKNOWN: {
    class: "permanent",
    summary: "There is no such token, or it was revoked before.",
    remedy: "Look it up with radferry token list.",
  },
} as const satisfies Record<string, ErrorEntry>;
