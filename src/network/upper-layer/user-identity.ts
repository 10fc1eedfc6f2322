import type { UserIdentityItem } from "./pdu.ts";

/** Who the requestor's user is. PS3.7 D.3.3.7, table D.3-14. */
export type UserIdentity = (
  | { readonly kind: "username"; readonly username: string }
  | { readonly kind: "username-passcode"; readonly username: string; readonly passcode: string }
  | { readonly kind: "kerberos" | "saml" | "jwt"; readonly token: Uint8Array }
) & { readonly positiveResponseRequested?: boolean };

/** User-identity-type. PS3.7 table D.3-14. */
export const IDENTITY_TYPES = { username: 1, "username-passcode": 2, kerberos: 3, saml: 4, jwt: 5 } as const satisfies {
  readonly [K in UserIdentity["kind"]]: number;
};

const KINDS = new Map<number, UserIdentity["kind"]>(
  (["username", "username-passcode", "kerberos", "saml", "jwt"] as const).map((kind) => [IDENTITY_TYPES[kind], kind]),
);

export function encodeIdentity(identity: UserIdentity): UserIdentityItem {
  return {
    type: IDENTITY_TYPES[identity.kind],
    positiveResponseRequested: identity.positiveResponseRequested ?? false,
    primary: "token" in identity ? identity.token : Buffer.from(identity.username),
    secondary: "passcode" in identity ? Buffer.from(identity.passcode) : new Uint8Array(0),
  };
}

/** Undefined: of a type that the standard does not have. */
export function decodeIdentity(item: UserIdentityItem): UserIdentity | undefined {
  const { positiveResponseRequested } = item;
  const kind = KINDS.get(item.type);
  switch (kind) {
    case undefined:
      return undefined;
    case "username":
      return { kind, username: textOf(item.primary), positiveResponseRequested };
    case "username-passcode":
      return { kind, username: textOf(item.primary), passcode: textOf(item.secondary), positiveResponseRequested };
    default:
      return { kind, token: item.primary, positiveResponseRequested };
  }
}

function textOf(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("utf8");
}
