import { BlockList, isIP } from "node:net";
import { type AeTitle, parseAeTitle } from "../../dicom/ae-title.ts";
import {
  EXPLICIT_VR_LITTLE_ENDIAN,
  IMPLICIT_VR_LITTLE_ENDIAN,
  transferSyntaxes,
} from "../../dicom/dictionary/transfer-syntaxes.ts";
import { GatewayError } from "../../errors/gateway-error.ts";
import { type AssociateRequest, REJECTION, type Rejection } from "../upper-layer/pdu.ts";
import { decodeIdentity } from "../upper-layer/user-identity.ts";
import type { AcceptanceRules, PeerRule } from "./service-types.ts";
import { IDENTIFIER_TRANSFER_SYNTAXES } from "./storage-contexts.ts";

/** The rules with their addresses read. */
export interface Acceptance {
  /** The rule for a peer, or why it is refused. An empty rule when there are none. */
  peer(request: AssociateRequest, remoteAddress: string): { readonly rule: PeerRule } | { readonly refused: Rejection };
  /** Why the user named in a request, or the lack of one, is refused. PS3.7 D.3.3.7. */
  refusedUser(request: AssociateRequest): Rejection | undefined;
  /** Whether user identities are checked: only then is a positive response sent to a requestor who asks for one. PS3.7 D.3.3.7.2. */
  readonly confirmsUsers: boolean;
}

/** @throws GatewayError ACCEPTANCE_RULE_INVALID. */
export function readRules(ownAeTitle: AeTitle, rules: AcceptanceRules = {}): Acceptance {
  const { peers, authenticate, userIdentityRequired = false } = rules;
  checkTitles(rules, "rules");
  const matchers = (peers ?? [{}]).map((rule, index) => {
    checkTitles(rule, `peers ${index}`);
    const addresses = rule.addresses && readAddresses(rule.addresses, `peers ${index}`);
    return { rule, addresses };
  });
  return {
    peer(request, remoteAddress) {
      const matching = matchers.find(
        ({ rule, addresses }) =>
          rule.callingAeTitles?.includes(request.callingAeTitle) !== false && addresses?.(remoteAddress) !== false,
      );
      if (matching === undefined || rules.callingAeTitles?.includes(request.callingAeTitle) === false) {
        return { refused: REJECTION.callingAeTitleNotRecognized };
      }
      const called = matching.rule.calledAeTitles ?? rules.calledAeTitles ?? [ownAeTitle];
      const isCalled = called === "any" || called.includes(request.calledAeTitle);
      return isCalled ? { rule: matching.rule } : { refused: REJECTION.calledAeTitleNotRecognized };
    },
    refusedUser({ userInformation }) {
      if (userInformation.userIdentity === undefined) {
        return userIdentityRequired ? REJECTION.userNotAuthenticated : undefined;
      }
      if (authenticate === undefined && !userIdentityRequired) return undefined;
      const identity = decodeIdentity(userInformation.userIdentity);
      const isAuthentic = identity !== undefined && (authenticate?.(identity) ?? true);
      return isAuthentic ? undefined : REJECTION.userNotAuthenticated;
    },
    confirmsUsers: authenticate !== undefined || userIdentityRequired,
  };
}

function checkTitles({ callingAeTitles = [], calledAeTitles = [] }: PeerRule | AcceptanceRules, rule: string): void {
  for (const title of [...callingAeTitles, ...(calledAeTitles === "any" ? [] : calledAeTitles)]) {
    try {
      parseAeTitle(title);
    } catch (error) {
      throw new GatewayError("ACCEPTANCE_RULE_INVALID", { rule, title }, error);
    }
  }
}

/** Tells whether an address is one of these, or in one of these networks. */
export function readAddresses(addresses: readonly string[], rule: string): (address: string) => boolean {
  const list = new BlockList();
  for (const text of addresses) {
    const [, address = "", prefix] = /^([^/]+)(?:\/(\d{1,3}))?$/.exec(text) ?? [];
    const family = familyOf(address);
    const bits = family === "ipv4" ? 32 : 128;
    if (family === undefined || Number(prefix ?? 0) > bits) {
      throw new GatewayError("ACCEPTANCE_RULE_INVALID", { rule, address: text });
    }
    if (prefix === undefined) list.addAddress(address, family);
    else list.addSubnet(address, Number(prefix), family);
  }
  return (remoteAddress) => {
    // Without the zone of a link-local address: fe80::1%eth0. RFC 4007 11.
    const [address = ""] = remoteAddress.split("%");
    const family = familyOf(address);
    return family !== undefined && list.check(address, family);
  };
}

function familyOf(address: string): "ipv4" | "ipv6" | undefined {
  return ({ 4: "ipv4", 6: "ipv6" } as const)[isIP(address)];
}

/**
 * The transfer syntax for a presentation context; undefined when none of the proposed ones will do.
 * Storage: the first of `preferred` that is proposed; without `preferred` the first proposed that we know, except that Explicit VR Little
 * Endian wins over Implicit, in which the VRs of private elements are lost.
 * Every other service: of those that identifiers travel in, which are uncompressed, the first of `preferred`, else the first proposed.
 */
export function chooseTransferSyntax(
  proposed: readonly string[],
  isStorage: boolean,
  preferred: readonly string[] | undefined,
): string | undefined {
  const known = proposed.filter((uid) =>
    isStorage ? transferSyntaxes.has(uid) : IDENTIFIER_TRANSFER_SYNTAXES.some((identifier) => identifier === uid),
  );
  const chosen = preferred?.find((uid) => known.includes(uid));
  if (isStorage && preferred !== undefined) return chosen;
  const [first] = known;
  const keepsVrs = isStorage && first === IMPLICIT_VR_LITTLE_ENDIAN && known.includes(EXPLICIT_VR_LITTLE_ENDIAN);
  return chosen ?? (keepsVrs ? EXPLICIT_VR_LITTLE_ENDIAN : first);
}
