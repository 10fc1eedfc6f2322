import { expect, it } from "vitest";
import { mapUser, type UserMapping } from "./map-user.ts";

const mapping: UserMapping = {
  nameClaim: "preferred_username",
  claim: "groups",
  roles: [
    { value: "admins", role: "admin", projects: ["lung"] },
    { value: "lung-team", role: "operator", projects: ["lung"] },
    { value: "heart-team", role: "operator", projects: ["heart", "lung"] },
    { value: "operators", role: "operator" },
    { value: "guests", role: "viewer" },
  ],
  leastRole: undefined,
};

const of = (claims: Readonly<Record<string, unknown>>, more: Partial<UserMapping> = {}) =>
  mapUser({ claims, subject: "u-1", endsAtMs: 0 }, { ...mapping, ...more });

it.each<[string, unknown, unknown]>([
  ["nothing", undefined, { role: undefined }],
  ["groups of others", ["x"], { role: undefined }],
  ["one text", "guests", { role: "viewer", projects: undefined }],
  ["the projects of both groups of the same role", ["lung-team", "heart-team"], { projects: ["lung", "heart"] }],
  ["every project when one line says so", ["lung-team", "operators"], { role: "operator", projects: undefined }],
  ["the highest role, in its own projects alone", ["guests", "admins"], { role: "admin", projects: ["lung"] }],
  ["a name of JavaScript's", ["__proto__", "constructor"], { role: undefined }],
  ["an object", { guests: true }, { role: undefined }],
])("gives what its lines say: %s", (_, groups, expected) => {
  expect(of({ groups })).toMatchObject(expected as object);
});

it.each<[unknown, string]>([
  ["sam", "oidc:sam"],
  ["sam@example.org", "oidc:sam@example.org"],
  ["zoë", "oidc:zoë"],
  [undefined, "oidc:u-1"],
  ["a\nb", "oidc:u-1"],
  ["x".repeat(101), "oidc:u-1"],
])("names the user %j as the audit trail can", (preferred_username, name) => {
  expect(of({ preferred_username }).name).toBe(name);
});

it("names a user whom no text can name by a digest of the subject", () => {
  expect(mapUser({ claims: {}, subject: "a b", endsAtMs: 0 }, mapping).name).toMatch(/^oidc:[0-9a-f]{32}$/);
});

it("finds claims with dots in their name, and members of members", () => {
  const claim = "https://example.org/roles";
  expect(of({ [claim]: ["guests"] }, { claim }).role).toBe("viewer");
  expect(of({ realm: { roles: ["guests"] } }, { claim: "realm.roles" }).role).toBe("viewer");
  expect(of({ realm: "guests" }, { claim: "realm.roles.toString" }).role).toBeUndefined();
});
