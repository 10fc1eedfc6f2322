import type { Role } from "../units/actor.ts";
import type { AuditEvent } from "../units/audit.ts";

/** What opens the API: a token that somebody was given, or the session that was begun with one. The secret itself is kept nowhere. */
export interface TokenRecord {
  readonly id: string;
  readonly kind: "token" | "session";
  /** Whose it is: stands in the audit trail for whoever uses it. */
  readonly name: string;
  readonly role: Role;
  /** Undefined: every project. */
  readonly projects: readonly string[] | undefined;
  readonly createdAtMs: number;
  readonly expiresAtMs: number;
  readonly revokedAtMs: number | undefined;
}

export interface NewToken extends Omit<TokenRecord, "id" | "createdAtMs" | "revokedAtMs"> {
  /** SHA-256 of the secret, lower-case hexadecimal. */
  readonly hash: string;
  /** Of a session: the token it was begun with, and ends with. */
  readonly parent?: string;
}

/** What became of a request that may be sent twice: the second one is given the first one's answer. */
export type RequestBegun =
  | { readonly kind: "begun" }
  /** The first one has not ended, or its process died. */
  | { readonly kind: "unfinished" }
  /** Something else was asked for under this key. */
  | { readonly kind: "other" }
  | { readonly kind: "answered"; readonly status: number; readonly body: string };

export interface RepeatableRequest {
  /** Id of the token: keys of different askers are different. */
  readonly asker: string;
  readonly key: string;
  /** Of all that was asked. */
  readonly digest: string;
}

/** The part of the store that keeps who may ask, and what they asked that must happen once. */
export interface AccessStore {
  /** The new one's id; undefined when another one that counts has the name. @param audit written in the same transaction */
  addToken(token: NewToken, audit: AuditEvent | undefined, nowMs: number): Promise<string | undefined>;
  /** Whether or not it is still good. */
  tokenOfHash(hash: string): Promise<TokenRecord | undefined>;
  /** Tokens, not sessions; the first one first, revoked and expired ones among them. */
  listTokens(): Promise<readonly TokenRecord[]>;
  /** With the sessions that were begun with it. False when there is no such one, or it was revoked before. */
  revokeToken(id: string, audit: AuditEvent | undefined, nowMs: number): Promise<boolean>;
  /** Keeps so many requests, the newest, for a day. */
  beginRequest(request: RepeatableRequest, nowMs: number): Promise<RequestBegun>;
  /** `answer` undefined: nothing was done, and the same key may be tried again. */
  endRequest(
    request: RepeatableRequest,
    answer: { readonly status: number; readonly body: string } | undefined,
  ): Promise<void>;
}
