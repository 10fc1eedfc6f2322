import { expect } from "vitest";
import type { NewToken } from "../access.ts";
import type { ContractCases } from "./support.testing.ts";

const DAY_MS = 86_400_000;
const HASH = "ab".repeat(32);

function token(facts: Partial<NewToken> = {}): NewToken {
  return {
    kind: "token",
    name: "sam",
    role: "operator",
    projects: undefined,
    expiresAtMs: DAY_MS,
    hash: HASH,
    ...facts,
  };
}

export const access: ContractCases = {
  "finds a token by the digest of its secret": async (store) => {
    const id = await store.addToken(token({ projects: ["lung"] }), undefined, 5);
    const { hash: _, ...facts } = token({ projects: ["lung"] });
    expect(await store.tokenOfHash(HASH)).toEqual({ ...facts, id, createdAtMs: 5 });
    expect(await store.tokenOfHash("cd".repeat(32))).toBeUndefined();
  },

  "has one good token of a name at a time": async (store) => {
    const first = await store.addToken(token(), undefined, 0);
    expect(await store.addToken(token({ hash: "2" }), undefined, 1)).toBeUndefined();
    expect(await store.addToken(token({ hash: "3" }), undefined, DAY_MS)).toBeDefined();
    expect(await store.revokeToken(String(first), undefined, DAY_MS)).toBe(true);
    expect((await store.listTokens()).map(({ revokedAtMs }) => revokedAtMs)).toEqual([DAY_MS, undefined]);
    const [other] = [await store.addToken(token({ name: "pat", hash: "4" }), undefined, 0)];
    await store.revokeToken(String(other), undefined, 1);
    expect(await store.addToken(token({ name: "pat", hash: "5" }), undefined, 2), "one that was revoked").toBeDefined();
  },

  "ends the sessions of a token with it, once": async (store) => {
    const parent = String(await store.addToken(token(), undefined, 0));
    await store.addToken(token({ kind: "session", hash: "2", parent }), undefined, 1);
    const other = String(await store.addToken(token({ name: "pat", hash: "3", expiresAtMs: 1 }), undefined, 0));
    await store.addToken(token({ kind: "session", hash: "4", parent: other }), undefined, 1);
    expect(await store.listTokens(), "one that expired is told of").toHaveLength(2);
    expect(await store.revokeToken(parent, undefined, 7)).toBe(true);
    expect(await store.tokenOfHash("2")).toMatchObject({ kind: "session", revokedAtMs: 7 });
    expect(await store.tokenOfHash("4")).toMatchObject({ revokedAtMs: undefined });
    expect(await store.revokeToken(parent, undefined, 8)).toBe(false);
  },

  "writes to the audit trail in one with the token": async (store) => {
    const actor = { name: "sam", kind: "command line", role: "admin" } as const;
    const audit = { event: "token-created", actor, outcome: "success" } as const;
    const id = String(await store.addToken(token(), audit, 3));
    await store.addToken(token(), audit, 4);
    expect(await store.auditRecords({ after: 0, limit: 9 })).toHaveLength(1);
    await store.revokeToken(id, { ...audit, event: "token-revoked" }, 5);
    await store.revokeToken(id, { ...audit, event: "token-revoked" }, 6);
    expect(await store.auditRecords({ after: 0, limit: 9 })).toHaveLength(2);
  },

  "gives a repeated request the first one's answer, for a day": async (store) => {
    const request = { asker: "t", key: "k", digest: "d" };
    expect(await store.beginRequest(request, 0)).toEqual({ kind: "begun" });
    expect(await store.beginRequest(request, 1)).toEqual({ kind: "unfinished" });
    expect(await store.beginRequest({ ...request, asker: "v" }, 1)).toEqual({ kind: "begun" });
    await store.endRequest(request, { status: 201, body: "{}" });
    expect(await store.beginRequest({ ...request, asker: "v" }, 2), "somebody else's").toEqual({ kind: "unfinished" });
    expect(await store.beginRequest(request, 2)).toEqual({ kind: "answered", status: 201, body: "{}" });
    expect(await store.beginRequest({ ...request, digest: "e" }, 3)).toEqual({ kind: "other" });
    expect(await store.beginRequest({ ...request, asker: "u" }, 4)).toEqual({ kind: "begun" });
    expect(await store.beginRequest(request, DAY_MS)).toEqual({ kind: "begun" });
    expect(await store.beginRequest(request, 2 * DAY_MS), "one that was never answered").toEqual({ kind: "begun" });
  },

  "lets a request be tried again that did nothing": async (store) => {
    const request = { asker: "t", key: "k", digest: "d" };
    await store.beginRequest(request, 0);
    await store.endRequest(request, undefined);
    expect(await store.beginRequest(request, 1)).toEqual({ kind: "begun" });
  },
};
