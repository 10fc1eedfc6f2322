import type { ErrorEntry } from "../error-class.ts";

/** Codes of requests by HTTP, of multipart bodies and of the instances in them, sorted. */
export const httpCodes = {
  HTTP_BODY_TOO_LARGE: {
    class: "permanent",
    summary: "The peer's answer is longer than an answer of this kind may be.",
    remedy: "Narrow what is asked for, or raise the limit if the answer is sound.",
  },
  HTTP_CONNECTION_LOST: {
    class: "transient",
    summary: "The peer ended the connection before its answer was whole.",
    remedy:
      "None at first: studies are tried again by themselves. If it persists, look into the peer's log of the same minute.",
  },
  HTTP_CONTENT_UNEXPECTED: {
    class: "permanent",
    summary: "The peer answered with another kind of content than was asked for, a web page perhaps.",
    remedy:
      "Check the URL, and whether the peer shows a login page: then the credentials or the way to log in are wrong.",
  },
  HTTP_FORBIDDEN: {
    class: "permanent",
    summary: "The peer does not allow our user this request.",
    remedy: "Ask the peer's administrator to grant it to the user or certificate that is configured.",
  },
  HTTP_HEADERS_TIMED_OUT: {
    class: "transient",
    summary: "The peer took the request and did not begin to answer in time.",
    remedy:
      "None at first: studies are tried again by themselves. An archive that fetches from elsewhere first needs a longer header time-out.",
  },
  HTTP_HEADERS_TOO_LARGE: {
    class: "permanent",
    summary: "The headers of the peer's answer are longer than a reader will take.",
    remedy: "Report it to the peer's administrator: a proxy between may add headers without end.",
  },
  HTTP_IDLE_TIMED_OUT: {
    class: "transient",
    summary: "The peer fell silent in the middle of its answer.",
    remedy:
      "None at first: studies are tried again by themselves. If it persists, ask the peer's administrator, or lengthen the idle time-out.",
  },
  HTTP_JSON_INVALID: {
    class: "permanent",
    summary: "The peer's answer is no JSON, or nested deeper than a reader will follow.",
    remedy: "Report it to the peer's vendor with the log of the same minute.",
  },
  HTTP_NOT_FOUND: {
    class: "permanent",
    summary: "The peer has nothing under this address.",
    remedy: "Check the URL; if it is right, the object is not there, or no more.",
  },
  HTTP_PROTOCOL_VIOLATION: {
    class: "permanent",
    summary: "The peer answered with something that is no HTTP.",
    remedy: "Check host, port and scheme of the URL: a TLS port needs https.",
  },
  HTTP_REDIRECTED: {
    class: "permanent",
    summary: "The peer sent the request elsewhere, to a login page perhaps; it was not followed.",
    remedy: "Configure the address that answers itself, and check credentials and the way to log in.",
  },
  HTTP_REFUSED: {
    class: "permanent",
    summary: "The peer refused the request.",
    remedy: "Look the status up in the peer's conformance statement and in its log of the same minute.",
  },
  HTTP_SERVER_FAILED: {
    class: "ambiguous",
    summary: "The peer failed while it worked on the request.",
    remedy: "None at first: what it did is checked and the rest retried. If it persists, look into the peer's log.",
  },
  HTTP_TOO_MANY_REQUESTS: {
    class: "transient",
    summary: "The peer asks for fewer requests.",
    remedy: "None at first: it is retried after the time the peer names. If it persists, lower rate and concurrency.",
  },
  HTTP_TOO_SLOW: {
    class: "transient",
    summary: "The peer sent its answer a byte now and then, which would have held it up for ever.",
    remedy:
      "None at first: studies are tried again by themselves. If it persists, ask the peer's administrator, or look at the line to it.",
  },
  HTTP_TOTAL_TIMED_OUT: {
    class: "transient",
    summary: "The peer's answer was not whole within the time allowed for all of it.",
    remedy:
      "None at first: studies are tried again by themselves. If it persists, ask for less at once or allow more time.",
  },
  HTTP_UNAUTHORISED: {
    class: "permanent",
    summary: "The peer does not accept our credentials.",
    remedy: "Check user, password, token or certificate, and whether they have expired.",
  },
  HTTP_UNAVAILABLE: {
    class: "transient",
    summary: "The peer, or a proxy before it, is not available now.",
    remedy: "None at first: studies are tried again by themselves. If it persists, ask the peer's administrator.",
  },
  INSTANCES_WITHHELD: {
    class: "transient",
    summary: "The peer says that its answer is not all of what was asked for.",
    remedy: "None at first: what did not come is asked for again. If it persists, look into the peer's log.",
  },
  INSTANCE_INCOMPLETE: {
    class: "transient",
    summary: "An instance arrived that ends in the middle; it was not kept.",
    remedy: "None at first: it is asked for again. If it persists, ask the archive's administrator to check the study.",
  },
  INSTANCE_TRANSFER_SYNTAX_UNEXPECTED: {
    class: "permanent",
    summary: "An instance arrived in a transfer syntax that was not asked for; it was not kept.",
    remedy: "Allow the transfer syntax in the request, or have the archive convert what it sends.",
  },
  MULTIPART_LIMIT_EXCEEDED: {
    class: "permanent",
    summary: "A multipart answer has more parts, or longer part headers, than a reader will take.",
    remedy: "Ask for less at once; a sound answer of that size needs higher limits.",
  },
  MULTIPART_MALFORMED: {
    class: "permanent",
    summary: "A multipart answer breaks the rules of RFC 2046.",
    remedy: "Report it to the peer's vendor with the log of the same minute.",
  },
  MULTIPART_TRUNCATED: {
    class: "transient",
    summary: "A multipart answer ends before its closing delimiter: something is missing.",
    remedy: "None at first: what did not come is asked for again. If it persists, look into the peer's log.",
  },
} as const satisfies Record<string, ErrorEntry>;
