import { describe, expect, it } from "vitest";
import { parseAeTitle } from "../../dicom/ae-title.ts";
import { EXPLICIT_VR_LITTLE_ENDIAN, IMPLICIT_VR_LITTLE_ENDIAN } from "../../dicom/dictionary/transfer-syntaxes.ts";
import { proposeAssociation } from "../upper-layer/negotiation.ts";
import { REJECTION } from "../upper-layer/pdu.ts";
import type { UserIdentity } from "../upper-layer/user-identity.ts";
import { readRules } from "./acceptance.ts";
import { VERIFICATION_SOP_CLASS } from "./service-classes.ts";
import type { AcceptanceRules, AssociationOptions, PeerRule, ProposedContext } from "./service-types.ts";
import { ct, open, ours, serve } from "./testing/pair.ts";

const ownTitle = parseAeTitle("ARCHIVE");
const jpegLossless = "1.2.840.10008.1.2.4.70";
const mr = "1.2.840.10008.5.1.4.1.1.4";
const privateClass = "1.3.12.2.1107.5.9.1";

function asked(callingAeTitle: string, calledAeTitle: string) {
  const context = { abstractSyntaxUid: VERIFICATION_SOP_CLASS, transferSyntaxUids: [IMPLICIT_VR_LITTLE_ENDIAN] };
  return proposeAssociation({ callingAeTitle, calledAeTitle }, [context], 16_384);
}

/** Which of the rules decides, by its place; or why none does. */
function verdict(rules: AcceptanceRules, callingAeTitle: string, remoteAddress: string, calledAeTitle = "ARCHIVE") {
  const peer = readRules(ownTitle, rules).peer(asked(callingAeTitle, calledAeTitle), remoteAddress);
  if ("rule" in peer) return rules.peers?.indexOf(peer.rule) ?? "any";
  return peer.refused;
}

const { callingAeTitleNotRecognized, calledAeTitleNotRecognized, userNotAuthenticated } = REJECTION;

describe("a peer is matched", () => {
  const peers: readonly PeerRule[] = [
    { callingAeTitles: ["SCANNER1", "SCANNER2"], addresses: ["10.0.0.0/8"] },
    { callingAeTitles: ["SCANNER1"], calledAeTitles: ["SPECIAL"] },
    { addresses: ["192.168.1.7", "2001:db8::/32", "fe80::1"] },
  ];

  it.each([
    ["by title and address", "SCANNER2", "10.255.0.1", 0],
    ["by the address that an IPv6 socket gives for an IPv4 peer", "SCANNER2", "::ffff:10.255.0.1", 0],
    ["not by its title alone when the address is wrong", "SCANNER2", "11.0.0.1", callingAeTitleNotRecognized],
    ["not by its address alone when the title is wrong", "OTHER", "10.0.0.1", callingAeTitleNotRecognized],
    ["not by a title in other letters", "scanner2", "10.0.0.1", callingAeTitleNotRecognized],
    ["by one address", "OTHER", "192.168.1.7", 2],
    ["by a network of IPv6", "OTHER", "2001:db8:1::5", 2],
    ["by a link-local address, whatever its zone", "OTHER", "fe80::1%eth0", 2],
    ["not by the address next to it", "OTHER", "192.168.1.8", callingAeTitleNotRecognized],
    ["not without an address", "OTHER", "", callingAeTitleNotRecognized],
  ])("%s", (_, title, address, expected) => {
    expect(verdict({ peers }, title, address)).toEqual(expected);
  });

  it("by the first rule that fits, which then says what it may call", () => {
    expect(verdict({ peers }, "SCANNER1", "11.0.0.1")).toEqual(calledAeTitleNotRecognized);
    expect(verdict({ peers }, "SCANNER1", "11.0.0.1", "SPECIAL")).toBe(1);
    expect(verdict({ peers }, "SCANNER1", "10.0.0.1")).toBe(0);
  });

  it("by nothing when there are no rules", () => {
    expect(verdict({}, "ANYONE", "203.0.113.9")).toBe("any");
    expect(verdict({ peers: [] }, "ANYONE", "203.0.113.9")).toEqual(callingAeTitleNotRecognized);
  });

  it("by what holds for all, too", () => {
    expect(verdict({ peers, callingAeTitles: ["SCANNER1"] }, "SCANNER2", "10.0.0.1")).toEqual(
      callingAeTitleNotRecognized,
    );
    expect(verdict({ peers, calledAeTitles: "any" }, "SCANNER2", "10.0.0.1", "WHATEVER")).toBe(0);
    expect(verdict({ calledAeTitles: ["OTHER"] }, "SCANNER2", "10.0.0.1")).toEqual(calledAeTitleNotRecognized);
  });
});

describe("a rule is refused before anyone can come", () => {
  it.each<readonly [string, AcceptanceRules]>([
    ["a network that is too narrow", { peers: [{ addresses: ["10.0.0.0/33"] }] }],
    ["a network without a number", { peers: [{ addresses: ["10.0.0.0/x"] }] }],
    ["a network without an end", { peers: [{ addresses: ["10.0.0.0/"] }] }],
    ["a host name", { peers: [{ addresses: ["scanner.example"] }] }],
    ["an address with five parts", { peers: [{ addresses: ["10.0.0.0.1"] }] }],
    ["an IPv6 network that is too narrow", { peers: [{ addresses: ["::1/129"] }] }],
    ["a calling title of 17 characters", { peers: [{ callingAeTitles: ["A".repeat(17)] }] }],
    ["an empty called title", { peers: [{ calledAeTitles: [""] }] }],
    ["a title with a backslash for all", { callingAeTitles: ["A\\B"] }],
  ])("%s", async (_, rules) => {
    await expect(serve({ rules })).rejects.toMatchObject({ code: "ACCEPTANCE_RULE_INVALID" });
  });
});

const store = async () => ({ refuse: 0xa700 });

/** The transfer syntax that each context was accepted in. */
async function acceptedBy(rules: AcceptanceRules, contexts: readonly ProposedContext[]) {
  await using server = await serve({ rules, handlers: { store } });
  await using association = await open(server, { contexts });
  return association.acceptedContexts.map(({ id, transferSyntaxUid }) => [id, transferSyntaxUid]);
}

const context = (abstractSyntaxUid: string, ...transferSyntaxUids: readonly string[]): ProposedContext => ({
  abstractSyntaxUid,
  transferSyntaxUids,
});

describe("a context is accepted", () => {
  const proposed = [IMPLICIT_VR_LITTLE_ENDIAN, EXPLICIT_VR_LITTLE_ENDIAN, jpegLossless];

  it.each<readonly [string, AcceptanceRules, readonly string[], string | undefined]>([
    ["in the requestor's order", {}, [jpegLossless, ...proposed], jpegLossless],
    ["with VRs where they are offered beside none", {}, proposed, EXPLICIT_VR_LITTLE_ENDIAN],
    ["without VRs where they are not", {}, [IMPLICIT_VR_LITTLE_ENDIAN, jpegLossless], IMPLICIT_VR_LITTLE_ENDIAN],
    [
      "in our order where we have one",
      { transferSyntaxUids: [jpegLossless, EXPLICIT_VR_LITTLE_ENDIAN] },
      proposed,
      jpegLossless,
    ],
    [
      "in the order for the peer before that for all",
      { transferSyntaxUids: [jpegLossless], peers: [{ transferSyntaxUids: [EXPLICIT_VR_LITTLE_ENDIAN] }] },
      proposed,
      EXPLICIT_VR_LITTLE_ENDIAN,
    ],
    ["in none but those", { transferSyntaxUids: [jpegLossless] }, [EXPLICIT_VR_LITTLE_ENDIAN], undefined],
    ["in none that we do not know", {}, ["1.2.3.4"], undefined],
  ])("%s", async (_, rules, transferSyntaxUids, expected) => {
    const accepted = await acceptedBy(rules, [context(ct, ...transferSyntaxUids)]);
    expect(accepted).toEqual(expected === undefined ? [] : [[1, expected]]);
  });

  it("for verification uncompressed, whatever is preferred for instances", async () => {
    const rules = { transferSyntaxUids: [jpegLossless] };
    expect(await acceptedBy(rules, [context(VERIFICATION_SOP_CLASS, ...proposed)])).toEqual([
      [1, IMPLICIT_VR_LITTLE_ENDIAN],
    ]);
    expect(await acceptedBy(rules, [context(VERIFICATION_SOP_CLASS, jpegLossless)])).toEqual([]);
  });

  it("only for the SOP classes that the peer may use", async () => {
    const rules = { peers: [{ callingAeTitles: [ours], sopClassUids: [mr] }] };
    const contexts = [context(ct, ...proposed), context(mr, ...proposed), context(VERIFICATION_SOP_CLASS, ...proposed)];
    expect((await acceptedBy(rules, contexts)).map(([id]) => id)).toEqual([3]);
  });

  it.each([
    ["by default", {}, [1]],
    ["when allowed", { acceptUnknownSopClasses: true }, [1]],
    ["not when forbidden", { acceptUnknownSopClasses: false }, []],
  ])("for a private storage class %s", async (_, rules, ids) => {
    expect((await acceptedBy(rules, [context(privateClass, ...proposed)])).map(([id]) => id)).toEqual(ids);
  });
});

describe("an association is rejected with the standard's reason", () => {
  const reader: UserIdentity = { kind: "username-passcode", username: "reader", passcode: "geheim" };
  const authenticate = (identity: UserIdentity) => "passcode" in identity && identity.passcode === "geheim";

  it.each<readonly [string, AcceptanceRules, Partial<AssociationOptions>, object]>([
    ["no rule fits", { peers: [{ callingAeTitles: ["OTHER"] }] }, {}, callingAeTitleNotRecognized],
    ["the address is not ours", { peers: [{ addresses: ["10.0.0.0/8"] }] }, {}, callingAeTitleNotRecognized],
    ["another is called", { peers: [{ calledAeTitles: ["OTHER"] }] }, {}, calledAeTitleNotRecognized],
    [
      "the passcode is wrong",
      { authenticate },
      { userIdentity: { ...reader, passcode: "falsch" } },
      userNotAuthenticated,
    ],
    ["there is no user, and one is required", { userIdentityRequired: true }, {}, userNotAuthenticated],
  ])("%s", async (_, rules, options, { source, reason }: { source?: number; reason?: number }) => {
    await using server = await serve({ rules });
    await expect(open(server, options)).rejects.toMatchObject({
      class: "permanent",
      details: { source, reason },
    });
  });

  it.each<readonly [string, AcceptanceRules, Partial<AssociationOptions>]>([
    ["the passcode is right", { authenticate }, { userIdentity: { ...reader, positiveResponseRequested: true } }],
    ["there is no user, and none is required", { authenticate }, {}],
    ["nobody looks at users", {}, { userIdentity: { kind: "jwt", token: Uint8Array.of(1) } }],
    [
      "any user will do",
      { userIdentityRequired: true },
      { userIdentity: { ...reader, positiveResponseRequested: true } },
    ],
  ])("but not when %s", async (_, rules, options) => {
    await using server = await serve({ rules });
    await using association = await open(server, options);
    await association.echo();
  });

  it("not accepted by one who asks for a confirmation and gets none", async () => {
    await using server = await serve({});
    const userIdentity = { ...reader, positiveResponseRequested: true };
    await expect(open(server, { userIdentity })).rejects.toMatchObject({ code: "USER_NOT_CONFIRMED" });
  });

  it("and goes on when looking at a user fails", async () => {
    const authenticate = () => {
      throw new Error("no directory");
    };
    await using server = await serve({ rules: { authenticate } });
    await expect(open(server, { userIdentity: reader })).rejects.toMatchObject({ code: "ASSOCIATION_ABORTED" });
    await using association = await open(server);
    await association.echo();
  });
});

it("writes no passcode anywhere, whether it is right or wrong", async () => {
  const lines: string[] = [];
  const write = (event: string, fields = {}) => void lines.push(`${event} ${JSON.stringify(fields)}`);
  const logger = { debug: write, info: write, warn: write, error: write };
  const rules = { authenticate: () => false };
  await using server = await serve({ rules, logger });
  const userIdentity = { kind: "username-passcode", username: "reader", passcode: "geheim" } as const;
  const error = await open(server, { userIdentity, logger }).catch((thrown: unknown) => thrown);
  lines.push(JSON.stringify(error), String(error));
  expect(lines.join("\n")).not.toMatch(/geheim|reader/);
  expect(lines.join("\n")).toContain("ASSOCIATION_REJECTED");
});
